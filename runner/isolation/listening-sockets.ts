// Finds the process that listens on a port of this host, from /proc or else from `lsof`. Built-ins and contract/wire
// only.
import { execFile } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { endianness } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { PortHolder } from '../../contract/wire/runner.ts';

/** A socket that listens on a port, with what the system reports about it. */
export interface Listener {
  /**
   * `any6` may accept IPv4 connections too. Sockets on other addresses get no connections to 127.0.0.1 and are omitted.
   */
  readonly address: '127.0.0.1' | 'any' | 'any6';
  /** User that created the socket. /proc only. */
  readonly uid?: number;
  /** /proc only. */
  readonly inode?: string;
  /** Process that has the socket open. `lsof` only. */
  readonly pid?: number;
}

/** `lsof` takes a few milliseconds for one port; this limit ends a hanging one. */
const LSOF_LIMIT_MS = 10_000;
const LISTENING = '0A';
/**
 * Matches a line of a connection: any state but listening, and but the handshakes that old systems list among
 * listeners.
 */
const HAS_CONNECTION = /^ *\d+: \S+ \S+ (?!0A|03)[0-9A-F]{2} /m;
const MAPPED_PREFIX = '00000000000000000000ffff';

/**
 * How long a socket that was found inside still counts as inside. Checking a host's processes takes many times as long
 * as checking its sockets, and a page loads hundreds of files. The system reuses an inode after some four billion
 * others, and a process id sooner.
 */
const KNOWN_MS = { inode: 60_000, pid: 2_000 } as const;

/**
 * Creates the function that says whose process a connection to a port of 127.0.0.1 would reach. A socket on 127.0.0.1
 * takes precedence over one on all addresses, and IPv4 over both versions. If several have the same precedence, all
 * must be inside. The function throws FAILED_PRECONDITION when the system cannot tell.
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

/** Whether one of the processes has the socket open. Sees only processes that this user may inspect. */
export async function isHeldBy(pids: Iterable<number>, { inode, pid }: Listener): Promise<boolean> {
  for (const each of pids) {
    if (each === pid) return true;
    if (inode === undefined || inode === '0') continue;
    if (hasSocket(each, inode)) return true;
    // A process may have many open files, and this process serves other agents too.
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
      // The file was closed since the folder was read.
      return false;
    }
  };
  try {
    return readdirSync(folder).some(isIt);
  } catch {
    // The process has ended or belongs to another user.
    return false;
  }
}

/** The socket that a connection reaches, or several with the same precedence. */
async function reachedOn(port: number): Promise<readonly Listener[]> {
  if (process.platform !== 'linux') return firstOf(await listenersOfLsof(port));
  const reached = firstOf(listenersInProc(port, listeningPart));
  // Systems that emulate Linux may list connections before listeners.
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
 * The beginning of a file like /proc/net/tcp, up to the first connection: listeners come first. The system generates
 * the file while it is read. On a busy host the listeners take 0.1 ms, and the rest 10 ms.
 */
function listeningPart(file: string): string {
  const descriptor = openSync(file, 'r');
  try {
    // About one line: the system generates only as much as is read.
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

/** The system writes addresses as 32-bit numbers in its native byte order. */
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
    // `lsof` exits with 1 when it finds nothing.
    if ((error as { readonly code?: unknown }).code === 1) return [];
    throw new MurmurError('FAILED_PRECONDITION', `this host cannot tell who listens on port ${port.toString()}`, {
      hint: 'install lsof',
      cause: error,
    });
  }
}

/** The listeners in the output of `lsof -F ptn`: one line each for process, type and address. */
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
