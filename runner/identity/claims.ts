// A lock on a folder among the processes of one host, which the system gives up for a process that dies. It is a socket in
// the folder, where no agent can make one: an abstract name belongs to whichever process takes it first, and every process
// of the host can list the names in use. Built-ins only: the runner uses it as well.
import { randomBytes } from 'node:crypto';
import { linkSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import path from 'node:path';

const CLAIM = /^claim\.(\d+)$/;

export interface Claim {
  /** Gives the folder up; the end of the process does so as well. */
  release(): void;
}

/**
 * Claims the folder, which must exist. Undefined when another process that is alive has it, a frozen one included.
 * Claims are numbered, and the highest is the one that counts: a process that finds it dead makes the next, which only one
 * can. Nobody removes the highest, so a process that was slow sees that it has been overtaken.
 * @param isTaken asked when the folder has never been claimed: whether something older holds it
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

/** Numbers of the claims, in order. */
function claimsIn(directory: string): readonly number[] {
  return readdirSync(directory)
    .flatMap((name) => CLAIM.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

function nameOf(number: number): string {
  return `claim.${number.toString()}`;
}

/** Paths of sockets are limited to some hundred bytes. */
function near(directory: string, name: string): string {
  const file = path.resolve(directory, name);
  const relative = path.relative(process.cwd(), file);
  return relative.length < file.length ? relative : file;
}

/** Gives the socket the name, unless it is taken, instead of the one that it has. */
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
  // The claim alone keeps no process alive.
  server.unref();
  return promise;
}

/** Whether a process listens there. One that is too busy to take a connection does. */
async function answers(file: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(file, () => resolve(true));
  socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  const answer = await promise;
  socket.destroy();
  return answer;
}
