// Finds the programs that create namespaces. Built-ins only.
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { MountTools } from './mount-script.ts';

export interface NamespaceTools extends MountTools {
  readonly unshare: string;
}

/** Folders where distributions install them. PATH is not used, because they run with the rights of the runner. */
const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/run/current-system/sw/bin'];

/** Throws FAILED_PRECONDITION that names a missing program. */
export function namespaceTools(): NamespaceTools {
  return {
    sh: tool('sh'),
    mount: tool('mount'),
    mkdir: tool('mkdir'),
    cp: tool('cp'),
    setpriv: tool('setpriv'),
    unshare: tool('unshare'),
  };
}

/** Absolute path of a system program; undefined when it is not installed. */
export function findTool(name: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, name)).find(isExecutable);
}

function tool(name: string): string {
  const path = findTool(name);
  if (path !== undefined) return path;
  throw new MurmurError('FAILED_PRECONDITION', `${name} is not in ${FOLDERS.join(', ')}`, {
    hint: 'install util-linux and coreutils',
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
