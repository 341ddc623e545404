// A lock on a folder for the processes of one host. The system releases it when the process dies. It is a socket in the
// folder, where agents cannot create one. An abstract socket would not do: any process can take or list abstract names.
// Built-ins only: the runner uses it too.
import { randomBytes } from 'node:crypto';
import { linkSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import path from 'node:path';

const CLAIM = /^claim\.(\d+)$/;

export interface Claim {
  /** Releases the folder. The end of the process releases it too. */
  release(): void;
}

/**
 * Claims the folder, which must exist. Undefined when another living process has it, even a frozen one. Claims are
 * numbered, and the highest one counts. A process that finds its owner dead creates the next number; only one process
 * can. The highest is never removed, so a slow process notices that it was overtaken.
 * @param isTaken called when the folder was never claimed: whether a process of an older build holds it
 */
export async function tryClaim(
  directory: string,
  isTaken: () => Promise<boolean> = () => Promise.resolve(false),
): Promise<Claim | undefined> {
  const before = claimsIn(directory).at(-1);
  if (before !== undefined && (await answers(near(directory, nameOf(before))))) return undefined;
  if (before === undefined && (await isTaken())) return undefined;
  const draft = near(directory, `claim.${randomBytes(8).toString('hex')}.new`);
  const server = await listening(draft);
  const mine = (before ?? 0) + 1;
  if (isLinked(draft, path.join(directory, nameOf(mine))) && claimsIn(directory).at(-1) === mine) {
    for (const each of claimsIn(directory)) {
      if (each < mine) rmSync(path.join(directory, nameOf(each)), { force: true });
    }
    return { release: () => void server.close() };
  }
  server.close();
  return undefined;
}

/** The numbers of the claims, ascending. */
function claimsIn(directory: string): readonly number[] {
  return readdirSync(directory)
    .flatMap((name) => CLAIM.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

function nameOf(number: number): string {
  return `claim.${number.toString()}`;
}

/** The shorter of the absolute and relative path: socket paths are limited to some hundred bytes. */
function near(directory: string, name: string): string {
  const file = path.resolve(directory, name);
  const relative = path.relative(process.cwd(), file);
  return relative.length < file.length ? relative : file;
}

/** Renames the socket, unless the new name is taken. */
function isLinked(draft: string, file: string): boolean {
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

async function listening(name: string): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<Server>();
  const server = createServer((socket) => socket.destroy());
  server.once('error', reject);
  server.listen(name, () => resolve(server));
  // The claim must not keep the process alive.
  server.unref();
  return promise;
}

/** Whether a process listens on the socket. One that is too busy to accept counts too. */
async function answers(file: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(file, () => resolve(true));
  socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  const answer = await promise;
  socket.destroy();
  return answer;
}
