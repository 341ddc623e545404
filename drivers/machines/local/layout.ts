// Where a local machine lies on its host.
import { join } from 'node:path';
import { MurmurError } from '../../../contract/wire/errors.ts';

export interface LocalLayout {
  readonly directory: string;
  /** The provider's own file: labels, uid, whether it runs. */
  readonly record: string;
  readonly home: string;
  readonly work: string;
  readonly run: string;
  readonly bin: string;
  readonly runner: string;
}

/** `murmur-` and hexadecimal digits, as names are made; anything else could leave the folder. */
const NAME = /^[a-z][a-z0-9-]{0,62}$/;

/** Whether a folder of this name can be a machine's. */
export function isMachineName(name: string): boolean {
  return NAME.test(name);
}

/** Throws INVALID_ARGUMENT for a name that no machine can have. */
export function checkMachineName(name: string): void {
  if (!isMachineName(name))
    throw new MurmurError('INVALID_ARGUMENT', `machine name ${JSON.stringify(name)} is not valid`);
}

/** The layout of a machine under `machines`. Throws INVALID_ARGUMENT for a name that is not one. */
export function localLayout(machines: string, name: string): LocalLayout {
  checkMachineName(name);
  const directory = join(machines, name);
  return {
    directory,
    record: join(directory, 'machine.json'),
    home: join(directory, 'home'),
    work: join(directory, 'work'),
    run: join(directory, 'run'),
    bin: join(directory, 'bin'),
    runner: join(directory, 'runner'),
  };
}
