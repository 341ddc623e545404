// One runner a machine: two would write one journal. Imports nothing of Murmur.
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A runner that was just killed or is about to end may hold its claim for a moment longer. */
const PATIENCE_MS = 2_000;
const LOOK_AGAIN_MS = 20;

export interface Claim {
  /** Gives the directory up; the end of the process does so as well. */
  release(): void;
}

/** Claims the directory, waiting a moment for it. Undefined when another process that is alive keeps it. */
export async function claimDirectory(directory: string): Promise<Claim | undefined> {
  for (const end = Date.now() + PATIENCE_MS; ; await delay(LOOK_AGAIN_MS)) {
    const server = await claim(directory);
    if (server !== undefined) return { release: () => void server.close() };
    if (Date.now() >= end) return undefined;
  }
}

async function claim(directory: string): Promise<Server | undefined> {
  // Linux forgets an abstract name with its process. Elsewhere it is a file, which a killed process leaves behind.
  const name = createHash('sha256').update(path.resolve(directory)).digest('hex');
  if (process.platform === 'linux') return listening(`\0murmur-runner-${name}`);
  const file = path.relative(process.cwd(), path.join(directory, 'lock.sock'));
  const server = await listening(file);
  if (server !== undefined || (await answers(file))) return server;
  rmSync(file, { force: true });
  return listening(file);
}

async function listening(name: string): Promise<Server | undefined> {
  const { promise, resolve } = Promise.withResolvers<Server | undefined>();
  const server = createServer((socket) => socket.destroy());
  server.once('error', () => resolve(undefined));
  server.listen(name, () => resolve(server));
  // The claim alone keeps no process alive.
  server.unref();
  return promise;
}

async function answers(file: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(file, () => resolve(true));
  socket.once('error', () => resolve(false));
  const answer = await promise;
  socket.destroy();
  return answer;
}
