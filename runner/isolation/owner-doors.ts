// What an agent that shares the owner's user must not reach, beside the owner's HOME: there a file's mode protects nothing.
import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { isBelow } from './mount-plan.ts';

/**
 * Devices: the owner's terminals, camera and disks. Sockets: a read-only mount keeps nobody from connecting to the owner's
 * service manager, desktop and container engine.
 */
const DOORS = ['/dev', '/run', '/var/run', '/var/snap', '/var/lib/lxd', '/var/lib/incus'];
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'].map((name) => `/dev/${name}`);
const LINKS = ['fd', 'stdin', 'stdout', 'stderr'].map((name) => `/dev/${name}`);
/** Programs and drivers, on NixOS. */
const RUN_PROGRAMS = ['/run/current-system', '/run/opengl-driver'];

export interface OwnerDoors {
  readonly hide: readonly string[];
  /** What is shown again. */
  readonly show: readonly string[];
  /** Links that are made again. */
  readonly links: readonly string[];
}

/** As they are on this host. */
export function ownerDoors(): OwnerDoors {
  return {
    hide: DOORS.filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isDirectory()),
    show: [...DEVICES, ...RUN_PROGRAMS, ...nameServers()].filter((path) => existsSync(path)),
    links: LINKS.filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()),
  };
}

/** The folder in which the host's resolver keeps what /etc/resolv.conf is a link to: the file is replaced now and then. */
function nameServers(): readonly string[] {
  try {
    const file = realpathSync('/etc/resolv.conf');
    if (!isBelow(file, '/run')) return [];
    return [dirname(file) === '/run' ? file : dirname(file)];
  } catch {
    return [];
  }
}
