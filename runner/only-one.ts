// One runner a machine: two would write one journal. Imports nothing of Murmur.
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import path from 'node:path';

/**
 * Claims the directory for this process until it ends, however it ends. False when another process that is alive has
 * it.
 */
export async function claimDirectory(directory: string): Promise<boolean> {
  // Linux forgets an abstract name with its process. Elsewhere it is a file, which a killed process leaves behind.
  const name = createHash('sha256').update(path.resolve(directory)).digest('hex');
  if (process.platform === 'linux') return listens(`\0murmur-runner-${name}`);
  const file = path.relative(process.cwd(), path.join(directory, 'lock.sock'));
  if (await listens(file)) return true;
  if (await answers(file)) return false;
  rmSync(file, { force: true });
  return listens(file);
}

async function listens(name: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server: Server = createServer((socket) => socket.destroy());
  server.once('error', () => resolve(false));
  server.listen(name, () => resolve(true));
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
