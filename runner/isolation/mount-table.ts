// Mounts as text: what is mounted, as the system tells it, and tables of what is to be mounted, as mount reads them. One
// program lays a whole table: starting one for each mount would take most of the time in which an agent starts.
import { readFileSync } from 'node:fs';

export interface Mount {
  readonly target: string;
  /** Of the mount itself, not of its file system. */
  readonly options: readonly string[];
  readonly type: string;
}

/** What is mounted for this process, in the order in which it was. */
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
 * Another name of the same place. mount leaves out what is mounted already by source and target, which the agent's folders
 * are when they are to be shown through a cover; and the root of a table, as the system's start takes care of that.
 */
function onTable(target: string): string {
  return target === '/' ? '/.' : `/.${target}`;
}

/** Sources by which no host has mounted anything; two, as mount would take the second for made already. */
const OURS = 'murmur';
const READ_ONLY = 'murmur-read-only';

export function bindEntry(source: string, target: string): TableEntry {
  return { source, target, type: 'none', options: 'rbind,X-mount.mkdir' };
}

export function fileSystemEntry(type: string, target: string, options: string): TableEntry {
  return { source: OURS, target, type, options: `${options},X-mount.mkdir` };
}

/** Options that the kernel lets nobody remove who did not set them. */
const KEPT_OPTIONS = ['nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'relatime', 'nosymfollow'];

/** Makes an existing mount read-only, without a change to what else holds for it. */
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
