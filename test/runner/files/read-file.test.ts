// `POST /file`: which files are read, which are rejected, and that reads end with their reader.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { MurmurError } from '../../../contract/wire/errors.ts';
import type { FileRequest } from '../../../contract/wire/runner.ts';
import { cleanUp, groupContainment, openRequest, startRunner, until } from '../fixture.ts';
import type { TestRunner } from '../fixture.ts';

/** Larger than all buffers on the way. */
const LARGE_BYTES = 1024 ** 3;

let runner: TestRunner;
let work: string;
/** The started reading programs. */
let readers: ChildProcess[];
/** Replaces the reading program. */
let instead: readonly [string, ...string[]] | undefined;
beforeEach(async () => {
  instead = undefined;
  readers = [];
  const containment = groupContainment();
  runner = await startRunner({
    containment: {
      ...containment,
      spawn: (command, args, options) => {
        const [program, ...words] = instead ?? [command, ...args];
        const child = containment.spawn(program, words, options);
        readers.push(child);
        return child;
      },
    },
  });
  await runner.client.open(openRequest());
  work = runner.paths.work;
  readers = [];
});
afterEach(cleanUp);

async function read(request: FileRequest): Promise<Buffer> {
  return await buffer(runner.client.file(request, AbortSignal.timeout(20_000)));
}

function write(name: string, content: Buffer | string): string {
  const file = path.join(work, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

async function readOnceThereIsRoom(name: string): Promise<Buffer> {
  for (const end = Date.now() + 20_000; ;) {
    try {
      return await read({ path: name });
    } catch (error) {
      if ((error as MurmurError).code !== 'RESOURCE_EXHAUSTED' || Date.now() > end) throw error;
    }
  }
}

async function allEnded(): Promise<void> {
  await until(() => readers.every(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null));
}

describe('a file of the machine', () => {
  it.each([
    ['of every byte', Buffer.from(Array.from({ length: 256 }, (_each, at) => at))],
    ['of more than fits into a pipe', Buffer.alloc(3_000_001, 7)],
    ['of nothing', Buffer.alloc(0)],
  ])('%s is read unchanged', async (_, content) => {
    const file = write('file', content);
    expect((await read({ path: file })).equals(content)).toBe(true);
  });

  it('is found relative to the working directory, also through a link', async () => {
    write('docs/a.txt', 'here');
    symlinkSync('docs/a.txt', path.join(work, 'link'));
    expect(String(await read({ path: 'docs/a.txt' }))).toBe('here');
    expect(String(await read({ path: 'link' }))).toBe('here');
  });

  it('may have a name that looks like an option or a command', async () => {
    const name = '-n $(touch made) `touch made`; "\'* \n';
    write(name, 'odd');
    expect(String(await read({ path: name }))).toBe('odd');
    expect(readdirSync(work)).toEqual([name]);
  });

  it('is read when the working directory was removed', async () => {
    const elsewhere = path.join(path.dirname(work), 'home', 'file');
    writeFileSync(elsewhere, 'still');
    rmSync(work, { recursive: true });
    expect(String(await read({ path: elsewhere }))).toBe('still');
  });
});

describe('what is refused', () => {
  it.each([
    ['nothing there', 'missing', 'NOT_FOUND', 'there is no file "missing"'],
    ['a link to nothing', 'dangling', 'NOT_FOUND', 'there is no file "dangling"'],
    ['a folder', '.', 'INVALID_ARGUMENT', '"." is not a regular file'],
    ['a device without an end', '/dev/zero', 'INVALID_ARGUMENT', '"/dev/zero" is not a regular file'],
    ['a pipe without a writer', 'pipe', 'INVALID_ARGUMENT', '"pipe" is not a regular file'],
    ['a link to such a device', 'zero', 'INVALID_ARGUMENT', '"zero" is not a regular file'],
    ['a file that fails', '/proc/self/mem', 'INVALID_ARGUMENT', expect.stringMatching(/cannot be read: .*error/i)],
    ['no path', '', 'INVALID_ARGUMENT', expect.stringContaining('path must be a path')],
    ['a NUL', 'a\0b', 'INVALID_ARGUMENT', expect.stringContaining('path must be a path')],
    ['a path that no system has', 'a'.repeat(4_097), 'INVALID_ARGUMENT', expect.stringContaining('path must be')],
  ])('%s', async (_, asked, code, message) => {
    symlinkSync('nowhere', path.join(work, 'dangling'));
    symlinkSync('/dev/zero', path.join(work, 'zero'));
    execFileSync('mkfifo', [path.join(work, 'pipe')]);
    await expect(read({ path: asked })).rejects.toMatchObject({ code, message });
    await allEnded();
  });

  it('a link that leads out of the folder in which the file must lie, and only that', async () => {
    write('secret', 'x');
    write('folder/in/own', 'own');
    write('folder-beside', 'x');
    symlinkSync('../secret', path.join(work, 'folder', 'out'));
    symlinkSync('../folder-beside', path.join(work, 'folder', 'beside'));
    symlinkSync('in/own', path.join(work, 'folder', 'inner'));
    const within = 'folder';
    expect(String(await read({ path: 'folder/inner', within }))).toBe('own');
    for (const name of ['folder/out', 'folder/beside', 'folder/../secret']) {
      await expect(read({ path: name, within })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: `${JSON.stringify(name)} is a link that leads out of its folder`,
      });
    }
  });

  it('every read before the session is open, with a retryable error', async () => {
    const closed = await startRunner();
    const reading = buffer(closed.client.file({ path: '/etc/hostname' }, AbortSignal.timeout(20_000)));
    await expect(reading).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('a reading', () => {
  let large: string;
  beforeEach(() => {
    large = write('large', '');
    // A sparse file.
    truncateSync(large, LARGE_BYTES);
  });

  it('ends with its program when the reader has enough', async () => {
    for await (const piece of runner.client.file({ path: large }, AbortSignal.timeout(20_000))) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    expect(readers).toHaveLength(1);
    await allEnded();
  });

  it('ends with its program when its signal aborts', async () => {
    const ending = new AbortController();
    const pieces = runner.client.file({ path: large }, ending.signal)[Symbol.asyncIterator]();
    await pieces.next();
    ending.abort();
    await allEnded();
    expect(readers.map(({ signalCode }) => signalCode)).toEqual(['SIGKILL']);
  });

  it('ends with its program when no data comes, for example after a pipe has replaced the file', async () => {
    instead = ['sleep', '4000'];
    const ending = new AbortController();
    const asked = buffer(runner.client.file({ path: large }, ending.signal));
    asked.catch(() => undefined);
    await until(() => readers.length === 1);
    ending.abort();
    await expect(asked).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await allEnded();
  });

  it('that breaks off fails instead of returning a shorter file', async () => {
    const asked = (async () => {
      for await (const _piece of runner.client.file({ path: large }, AbortSignal.timeout(20_000))) {
        readers[0]?.kill('SIGKILL');
      }
    })();
    await expect(asked).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('runs beside seven others, and a ninth one is rejected until one of them ends', async () => {
    const open = Array.from({ length: 8 }, () =>
      runner.client.file({ path: large }, AbortSignal.timeout(20_000))[Symbol.asyncIterator](),
    );
    await Promise.all(open.map((pieces) => pieces.next()));
    await expect(read({ path: large })).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    for (const pieces of open) await pieces.return?.();
    write('small', 'again');
    expect(String(await readOnceThereIsRoom('small'))).toBe('again');
  });

  it('does not outlive the runner', async () => {
    const pieces = runner.client.file({ path: large }, AbortSignal.timeout(20_000))[Symbol.asyncIterator]();
    await pieces.next();
    await runner.served.stop();
    await allEnded();
  });
});
