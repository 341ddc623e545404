// Who listens on a port of this host: from /proc where there is one, else from `lsof`. Built-ins and contract/wire only.
import { execFile } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { endianness } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { PortHolder } from '../../contract/wire/runner.ts';

/** A socket that listens on a port, as far as the system tells. */
export interface Listener {
  /** `any6` may take IPv4 connections as well; one on any other address takes none to 127.0.0.1 and is left out. */
  readonly address: '127.0.0.1' | 'any' | 'any6';
  /** User that made it. /proc only. */
  readonly uid?: number;
  /** /proc only. */
  readonly inode?: string;
  /** Process that has it open. `lsof` only. */
  readonly pid?: number;
}

/** `lsof` takes a few milliseconds for one port; a host where it hangs has other troubles. */
const LSOF_LIMIT_MS = 10_000;
const LISTENING = '0A';
/** A line of any other state than listening, and the handshakes that old systems write beside their listeners. */
const HAS_CONNECTION = /^ *\d+: \S+ \S+ (?!0A|03)[0-9A-F]{2} /m;
const MAPPED_PREFIX = '00000000000000000000ffff';

/**
 * How long a socket counts as inside once it was found there: it stays what it is, but looking at the processes of a host
 * takes many times as long as looking at its sockets, and a page loads hundreds of files. The system gives the number of a
 * socket again after some four billion others; that of a process sooner.
 */
const KNOWN_MS = { inode: 60_000, pid: 2_000 } as const;

/**
 * Makes the question who would be reached by a connection to a port of 127.0.0.1. A socket on that very address comes before
 * one on every address, and one for IPv4 before one for both; where several share the place, all have to be inside. It
 * throws FAILED_PRECONDITION where the system cannot tell.
 */
export function createPortHolder(
  isInside: (listener: Listener) => boolean | Promise<boolean>,
): (port: number) => Promise<PortHolder> {
  const known = new Map<string, number>();
  const check = async (listener: Listener): Promise<boolean> => {
    const kind = listener.inode === undefined ? 'pid' : 'inode';
    const key = `${kind} ${String(listener[kind])}`;
    if ((known.get(key) ?? 0) > Date.now()) return true;
    known.delete(key);
    const holds = await isInside(listener);
    if (holds) known.set(key, Date.now() + KNOWN_MS[kind]);
    return holds;
  };
  return async (port) => {
    for (const [key, until] of known) if (until <= Date.now()) known.delete(key);
    const reached = await reachedOn(port);
    if (reached.length === 0) return 'nobody';
    for (const listener of reached) {
      if (!(await check(listener))) return 'outside';
    }
    return 'inside';
  };
}

/** Whether one of the processes has the socket open, as far as this user may look. */
export async function isHeldBy(pids: Iterable<number>, { inode, pid }: Listener): Promise<boolean> {
  for (const each of pids) {
    if (each === pid) return true;
    if (inode === undefined || inode === '0') continue;
    if (hasSocket(each, inode)) return true;
    // A process may have many files open, and others are served by this one.
    await turn();
  }
  return false;
}

function hasSocket(pid: number, inode: string): boolean {
  const folder = `/proc/${pid.toString()}/fd`;
  const isIt = (fd: string): boolean => {
    try {
      return readlinkSync(`${folder}/${fd}`) === `socket:[${inode}]`;
    } catch {
      // It has been closed since the folder was read.
      return false;
    }
  };
  try {
    return readdirSync(folder).some(isIt);
  } catch {
    // The process has ended, or is another user's.
    return false;
  }
}

/** The socket that a connection gets, or those that share its place. */
async function reachedOn(port: number): Promise<readonly Listener[]> {
  if (process.platform !== 'linux') return firstOf(await listenersOfLsof(port));
  const reached = firstOf(listenersInProc(port, listeningPart));
  // A system that is not quite Linux may write them in another order.
  return reached.length > 0 ? reached : firstOf(listenersInProc(port, (file) => readFileSync(file, 'latin1')));
}

function firstOf(listeners: readonly Listener[]): readonly Listener[] {
  const sharing = (['127.0.0.1', 'any', 'any6'] as const).map((address) =>
    listeners.filter((listener) => listener.address === address),
  );
  return sharing.find((each) => each.length > 0) ?? [];
}

function listenersInProc(port: number, read: (file: string) => string): readonly Listener[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => {
    try {
      return parseProcNet(read(file), port);
    } catch {
      // A host without IPv6 has no second file.
      return [];
    }
  });
}

/**
 * The beginning of a file like /proc/net/tcp, up to the first connection: listeners come first. The system makes it as it is
 * read, and looks at every place where a connection could be: the rest takes ten milliseconds on a busy host, the listeners a
 * tenth of one.
 */
function listeningPart(file: string): string {
  const descriptor = openSync(file, 'r');
  try {
    // About one line: the system makes no more than is asked for.
    const piece = Buffer.alloc(160);
    for (let text = ''; ;) {
      const bytes = readSync(descriptor, piece);
      text += piece.toString('latin1', 0, bytes);
      const whole = text.slice(0, text.lastIndexOf('\n') + 1);
      if (bytes === 0 || HAS_CONNECTION.test(whole)) return whole;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** The listeners in a file like /proc/net/tcp. */
export function parseProcNet(table: string, port: number): readonly Listener[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', , state, , , , uid, , inode] = line.trim().split(/\s+/);
      const [host = '', digits = ''] = local.split(':');
      const address = kindOf(bytesOf(host));
      if (state !== LISTENING || Number.parseInt(digits, 16) !== port || address === undefined) return [];
      return [{ address, uid: Number(uid), ...(inode === undefined ? {} : { inode }) }];
    });
}

/** The system writes addresses as 32-bit numbers of its own byte order. */
function bytesOf(host: string): string {
  const words = host.match(/.{8}/g) ?? [];
  const inOrder = (word: string): string =>
    endianness() === 'LE' ? (word.match(/../g) ?? []).toReversed().join('') : word;
  return words.map(inOrder).join('').toLowerCase();
}

function kindOf(bytes: string): Listener['address'] | undefined {
  if (/^0{32}$/.test(bytes)) return 'any6';
  const four = bytes.startsWith(MAPPED_PREFIX) ? bytes.slice(MAPPED_PREFIX.length) : bytes;
  if (four === '00000000') return 'any';
  return four === '7f000001' ? '127.0.0.1' : undefined;
}

async function listenersOfLsof(port: number): Promise<readonly Listener[]> {
  const args = ['-nP', '-a', `-iTCP:${port.toString()}`, '-sTCP:LISTEN', '-Fptn'];
  try {
    const { stdout } = await promisify(execFile)('lsof', args, {
      timeout: LSOF_LIMIT_MS,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    });
    return parseLsof(stdout);
  } catch (error) {
    // It ends with 1 when there is nothing to tell.
    if ((error as { readonly code?: unknown }).code === 1) return [];
    throw new MurmurError('FAILED_PRECONDITION', `this host cannot tell who listens on port ${port.toString()}`, {
      hint: 'install lsof',
      cause: error,
    });
  }
}

/** The listeners in the output of `lsof -F ptn`: a line each for process, type and address. */
export function parseLsof(output: string): readonly Listener[] {
  const found: Listener[] = [];
  let pid = 0;
  let type = '';
  for (const line of output.split('\n')) {
    const value = line.slice(1);
    if (line.startsWith('p')) pid = Number(value);
    else if (line.startsWith('t')) type = value;
    else if (line.startsWith('n')) {
      const host = value.slice(0, value.lastIndexOf(':'));
      if (host === '*') found.push({ address: type === 'IPv6' ? 'any6' : 'any', pid });
      else if (host === '127.0.0.1' || host === '[::ffff:127.0.0.1]') found.push({ address: '127.0.0.1', pid });
    }
  }
  return found;
}
