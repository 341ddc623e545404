// Reads the system's list of mounts and writes tables for `mount -a`. One call mounts a whole table: a call per mount
// would take most of an agent's start time.
import { readFileSync } from 'node:fs';

export interface Mount {
  readonly target: string;
  /** Options of the mount, not of its file system. */
  readonly options: readonly string[];
  readonly type: string;
}

/** The mounts that this process sees, in the order of mounting. */
export function readMounts(text = readFileSync('/proc/self/mountinfo', 'utf8')): readonly Mount[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [front = '', back = ''] = line.split(' - ');
      const fields = front.split(' ');
      return {
        target: unescaped(fields[4] ?? ''),
        options: (fields[5] ?? '').split(','),
        type: back.split(' ')[0] ?? '',
      };
    });
}

/** One mount to make. */
export interface TableEntry {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly options: string;
}

/** The text of a table. */
export function tableText(entries: readonly TableEntry[]): string {
  return entries
    .map(
      ({ source, target, type, options }) => `${escaped(source)} ${escaped(onTable(target))} ${type} ${options} 0 0\n`,
    )
    .join('');
}

/**
 * Another path of the same place. `mount -a` skips entries whose source and target are mounted already, as the agent's
 * folders are when a cover shows them. It also skips the root, which it expects to be mounted at boot.
 */
function onTable(target: string): string {
  return target === '/' ? '/.' : `/.${target}`;
}

/**
 * Source names that no other mount has. There are two, because mount would skip a second entry with the same source.
 */
const OURS = 'murmur';
const READ_ONLY = 'murmur-read-only';

export function bindEntry(source: string, target: string): TableEntry {
  return { source, target, type: 'none', options: 'rbind,X-mount.mkdir' };
}

export function fileSystemEntry(type: string, target: string, options: string): TableEntry {
  return { source: OURS, target, type, options: `${options},X-mount.mkdir` };
}

/** Options that the kernel lets only those remove who set them. */
const KEPT_OPTIONS = ['nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'relatime', 'nosymfollow'];

/** Makes an existing mount read-only and keeps its other options. */
export function readOnlyEntry({ target, options }: Pick<Mount, 'target' | 'options'>): TableEntry {
  const kept = options.filter((option) => KEPT_OPTIONS.includes(option));
  return { source: READ_ONLY, target, type: 'none', options: ['remount', 'bind', 'ro', ...kept].join(',') };
}

function escaped(path: string): string {
  return path.replaceAll(/[\\ \t\n#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function unescaped(path: string): string {
  return path.replaceAll(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
