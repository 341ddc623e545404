// The part of the owner's HOME that an agent with the owner's user id sees: programs, but not their configuration.
import type { Dirent } from 'node:fs';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, sep } from 'node:path';
import { isBelow } from './mount-plan.ts';

/** Names of program folders within an installation. */
const PROGRAM_FOLDERS = ['bin', 'sbin', '.bin', 'shims'];
/** Folders of an installation directly below HOME. The rest may contain credentials, as in ~/.cargo. */
const PARTS = ['bin', 'include', 'install', 'lib', 'lib64', 'libexec', 'plugins', 'shims', 'versions'];

export interface OwnerHome {
  /** Real path of HOME. */
  readonly home: string;
  /** Real paths below HOME that are shown. */
  readonly shown: readonly string[];
}

/**
 * The owner's HOME and its shown paths: folders of PATH, their installations, the installations to which their links
 * lead, and those of `programs`. Undefined when there is no HOME to cover.
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

/** Installations of programs that are links into HOME, as pipx, npm and uv create them. */
function linkedFrom(folder: string, home: string): readonly string[] {
  return entriesOf(folder)
    .filter((entry) => entry.isSymbolicLink())
    .flatMap((entry) => {
      const target = realPath(join(folder, entry.name));
      return target === undefined || isBelow(target, folder) ? [] : packageOf(target, home);
    });
}

/** What a program needs: all packages beside its own, its installation, or only its file. */
function packageOf(program: string, home: string): readonly string[] {
  if (!isBelow(program, home)) return [];
  const words = program.split(sep);
  const modules = words.indexOf('node_modules');
  if (modules !== -1) return [words.slice(0, modules + 1).join(sep)];
  const installation = installationOf(dirname(program), home);
  return installation.length === 0 ? [program] : [...installation, ...interpreterOf(dirname(program), home)];
}

/** A Python virtual environment runs the interpreter with which it was created. */
function interpreterOf(folder: string, home: string): readonly string[] {
  const python = realPath(join(folder, 'python'));
  if (python === undefined || !isBelow(python, home) || dirname(python) === folder) return [];
  return installationOf(dirname(python), home);
}

/** The installation that contains a program folder: its prefix, or the prefix's `PARTS`. */
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
