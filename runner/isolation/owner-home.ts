// What of the owner's HOME an agent sees that shares the owner's user: programs, and nothing that they are configured by.
import type { Dirent } from 'node:fs';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, sep } from 'node:path';
import { isBelow } from './mount-plan.ts';

/** Names of folders of programs within an installation. */
const PROGRAM_FOLDERS = ['bin', 'sbin', '.bin', 'shims'];
/** What an installation at the top of HOME consists of; beside it there may be credentials, as in ~/.cargo. */
const PARTS = ['bin', 'include', 'install', 'lib', 'lib64', 'libexec', 'plugins', 'shims', 'versions'];

export interface OwnerHome {
  /** Real path of HOME. */
  readonly home: string;
  /** Real paths below it that are shown. */
  readonly shown: readonly string[];
}

/**
 * The owner's HOME and what is shown of it: the folders on `path` below it, the installations that they belong to and that
 * their links lead to, and the installations of `programs`. Undefined without a HOME that could be covered.
 */
export function ownerHome(
  env: Readonly<Record<string, string | undefined>>,
  programs: readonly string[],
): OwnerHome | undefined {
  const home = realPath(env['HOME'] ?? homedir());
  if (home === undefined || dirname(home) === home) return undefined;
  const folders = (env['PATH'] ?? '')
    .split(':')
    .flatMap((folder) => realPath(folder) ?? [])
    .filter((folder) => isBelow(folder, home));
  const found = [
    ...folders.flatMap((folder) => [folder, ...installationOf(folder, home), ...linkedFrom(folder, home)]),
    ...programs.flatMap((program) => [dirname(program), ...packageOf(program, home)]),
  ];
  return { home, shown: [...new Set(found)].filter((path) => isBelow(path, home)) };
}

/** Installations of the programs that are links to elsewhere below HOME, as pipx, npm and uv lay them. */
function linkedFrom(folder: string, home: string): readonly string[] {
  return entriesOf(folder)
    .filter((entry) => entry.isSymbolicLink())
    .flatMap((entry) => {
      const target = realPath(join(folder, entry.name));
      return target === undefined || isBelow(target, folder) ? [] : packageOf(target, home);
    });
}

/** What a program needs around it: all packages beside its own, its installation, or the file alone. */
function packageOf(program: string, home: string): readonly string[] {
  if (!isBelow(program, home)) return [];
  const words = program.split(sep);
  const modules = words.indexOf('node_modules');
  if (modules !== -1) return [words.slice(0, modules + 1).join(sep)];
  const installation = installationOf(dirname(program), home);
  return installation.length === 0 ? [program] : [...installation, ...interpreterOf(dirname(program), home)];
}

/** A virtual environment of Python runs the one that it was made with. */
function interpreterOf(folder: string, home: string): readonly string[] {
  const python = realPath(join(folder, 'python'));
  if (python === undefined || !isBelow(python, home) || dirname(python) === folder) return [];
  return installationOf(dirname(python), home);
}

/** The folder that holds a folder of programs with their libraries, or the parts of it. */
function installationOf(folder: string, home: string): readonly string[] {
  const prefix = dirname(folder);
  if (!PROGRAM_FOLDERS.includes(basename(folder)) || !isBelow(prefix, home)) return [];
  if (dirname(prefix) !== home) return [prefix];
  return PARTS.map((part) => join(prefix, part)).filter((part) => existsSync(part));
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function realPath(path: string): string | undefined {
  try {
    return path === '' ? undefined : realpathSync(path);
  } catch {
    return undefined;
  }
}
