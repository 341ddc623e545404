// Paths besides HOME that an agent with the owner's user id must not reach. File modes do not protect them from it.
import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { isBelow } from './mount-plan.ts';

/**
 * Devices: the owner's terminals, camera and disks. Sockets of the owner's service manager, desktop and container
 * engine: a read-only mount does not prevent connections.
 */
const HIDDEN_FOLDERS = ['/dev', '/run', '/var/run', '/var/snap', '/var/lib/lxd', '/var/lib/incus'];
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'].map((name) => `/dev/${name}`);
const LINKS = ['fd', 'stdin', 'stdout', 'stderr'].map((name) => `/dev/${name}`);
/** Programs and drivers on NixOS. */
const RUN_PROGRAMS = ['/run/current-system', '/run/opengl-driver'];

export interface OwnerOnlyPaths {
  readonly hide: readonly string[];
  /** Paths below `hide` that are shown. */
  readonly show: readonly string[];
  /** Links that are created again. */
  readonly links: readonly string[];
}

/** The paths that exist on this host. */
export function ownerOnlyPaths(): OwnerOnlyPaths {
  return {
    hide: HIDDEN_FOLDERS.filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isDirectory()),
    show: [...DEVICES, ...RUN_PROGRAMS, ...nameServers()].filter((path) => existsSync(path)),
    links: LINKS.filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()),
  };
}

/**
 * The folder with the target of the link /etc/resolv.conf. The folder is shown, as the host's resolver replaces the
 * file.
 */
function nameServers(): readonly string[] {
  try {
    const file = realpathSync('/etc/resolv.conf');
    if (!isBelow(file, '/run')) return [];
    return [dirname(file) === '/run' ? file : dirname(file)];
  } catch {
    return [];
  }
}
