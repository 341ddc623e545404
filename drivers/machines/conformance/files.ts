// Files on a machine, small and large.
import { expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Bench, SuiteOptions } from './suite.ts';
import { TIMEOUT_MS } from './suite.ts';

const DEFAULT_TRANSFER = 200_000_000;
/** Moving a large file in both directions on a busy host takes less. */
const TRANSFER_LIMIT_MS = 180_000;

export function fileConformance(bench: () => Bench, { transferBytes = DEFAULT_TRANSFER }: SuiteOptions): void {
  it('put creates parents, sets the mode and replaces; get of a missing file throws NOT_FOUND', async () => {
    const machine = await bench().connected();
    const file = posix.join(machine.paths.runner, 'deep', "it's a file");
    await machine.put(file, 'one', 0o600);
    await machine.put(file, Buffer.from([0, 255]), 0o600);
    await expect(machine.get(file)).resolves.toEqual(Buffer.from([0, 255]));
    const { stdout } = await machine.exec('ls', ['-l', file], { timeoutMs: TIMEOUT_MS });
    expect(stdout).toMatch(/^-rw-------/);
    await expect(machine.get(`${file}.missing`)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('write and read stream a file; a failing source leaves the old content', async () => {
    const machine = await bench().connected();
    const folder = posix.join(machine.paths.runner, 'deep');
    const file = posix.join(folder, 'streamed');
    const pieces = [Buffer.from('one '), Buffer.from('two')];
    await machine.write(file, Readable.from(pieces));
    const failing = (async function* () {
      yield Buffer.from('half of ');
      throw new Error('the source broke off');
    })();
    await expect(machine.write(file, failing)).rejects.toThrow('broke off');
    expect(await buffer(machine.read(file))).toEqual(Buffer.concat(pieces));
    const { stdout } = await machine.exec('ls', ['-l', file], { timeoutMs: TIMEOUT_MS });
    expect(stdout).toMatch(/^-rw-------/);
    // No partial file is left in the folder.
    const beside = await machine.exec('ls', ['-A', folder], { timeoutMs: TIMEOUT_MS });
    expect(beside.stdout).toBe('streamed\n');
    await machine.write(file, Readable.from([]));
    expect(await buffer(machine.read(file))).toEqual(Buffer.alloc(0));
    await expect(buffer(machine.read(`${file}.missing`))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('destroying a reader early affects no other call', async () => {
    const machine = await bench().connected();
    const file = posix.join(machine.paths.runner, 'long');
    const content = Buffer.alloc(2_000_000, 'x');
    await machine.write(file, Readable.from([content]));
    for await (const piece of machine.read(file)) {
      expect(piece).toBeInstanceOf(Buffer);
      break;
    }
    expect(await buffer(machine.read(file))).toEqual(content);
  });

  it(
    `${String(Math.round(transferBytes / 1e6))} MB arrive as they were sent, in both directions`,
    async () => {
      const machine = await bench().connected();
      const file = posix.join(machine.paths.work, 'large');
      const sent = createHash('sha256');
      await machine.write(file, Readable.from(numbered(transferBytes, (piece) => sent.update(piece))));
      const received = createHash('sha256');
      let bytes = 0;
      for await (const piece of machine.read(file) as AsyncIterable<Buffer>) {
        received.update(piece);
        bytes += piece.length;
      }
      expect(bytes).toBe(transferBytes);
      expect(received.digest('hex')).toBe(sent.digest('hex'));
    },
    TRANSFER_LIMIT_MS,
  );
}

/** Pieces that all differ, so that a swapped or repeated piece is noticed. */
function* numbered(bytes: number, onPiece: (piece: Buffer) => void): Generator<Buffer> {
  const size = 64 * 1024;
  for (let at = 0; at < bytes; at += size) {
    const piece = Buffer.alloc(Math.min(size, bytes - at), String(at).padStart(12, '0'));
    onPiece(piece);
    yield piece;
  }
}
