// The folders and files of a local machine.
import { join } from 'node:path';
import { MurmurError } from '../../../contract/wire/errors.ts';

export interface LocalLayout {
  readonly directory: string;
  /** The provider's file about the machine: labels, uid, state. */
  readonly record: string;
  readonly home: string;
  readonly work: string;
  readonly run: string;
  readonly bin: string;
  readonly runner: string;
}

/** Names are `murmur-` and hexadecimal digits. The pattern prevents paths outside of the folder. */
const NAME = /^[a-z][a-z0-9-]{0,62}$/;

/** Whether the name is a valid machine name. */
export function isMachineName(name: string): boolean {
  return NAME.test(name);
}

/** Throws INVALID_ARGUMENT for an invalid machine name. */
export function checkMachineName(name: string): void {
  if (!isMachineName(name))
    throw new MurmurError('INVALID_ARGUMENT', `machine name ${JSON.stringify(name)} is not valid`);
}

/** The layout of a machine below `machines`. Throws INVALID_ARGUMENT for an invalid name. */
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
