// Files on a host: small ones over SFTP, large ones through `cat` with a check of their length.
import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import type { SFTPWrapper, Stats } from 'ssh2';
import { MurmurError } from '../../../contract/wire/errors.ts';
import type { SshConnection } from './connection.ts';
import type { Commands, RunningCommand } from './exec.ts';

/** SSH_FX_NO_SUCH_FILE. */
const NO_SUCH_FILE = 2;
/** The agent must not read these files. */
const PRIVATE = 0o600;
/** `cat` ends within milliseconds after the last byte; a busy host may need far longer. */
const END_LIMIT_MS = 60_000;

export class HostFiles {
  readonly #connection: SshConnection;
  readonly #commands: Commands;

  constructor(connection: SshConnection, commands: Commands) {
    this.#connection = connection;
    this.#commands = commands;
  }

  /** Writes a small file atomically and creates its parents. */
  async put(path: string, content: Buffer | string, mode = PRIVATE): Promise<void> {
    const partial = await this.#partialOf(path);
    try {
      await this.#sftp((sftp, done) => sftp.writeFile(partial, content, { mode: PRIVATE }, done), { writes: path });
      // The umask applies to the mode at creation.
      await this.#sftp((sftp, done) => sftp.chmod(partial, mode, done));
      await this.#rename(partial, path);
    } catch (error) {
      await this.#drop(partial);
      throw error;
    }
  }

  /** Throws NOT_FOUND for a missing file. */
  async get(path: string): Promise<Buffer> {
    return await this.#sftp<Buffer>((sftp, done) => sftp.readFile(path, done as never), { reads: path });
  }

  /** The size in bytes; undefined for a missing file. */
  async size(path: string): Promise<number | undefined> {
    try {
      return (await this.#sftp<Stats>((sftp, done) => sftp.stat(path, done), { reads: path })).size;
    } catch (error) {
      if (error instanceof MurmurError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    }
  }

  /** Renews the time of a file or folder; false when it is not there. */
  async touch(path: string): Promise<boolean> {
    try {
      await this.#sftp((sftp, done) => sftp.utimes(path, new Date(), new Date(), done), { reads: path });
      return true;
    } catch (error) {
      if (error instanceof MurmurError && error.code === 'NOT_FOUND') return false;
      throw error;
    }
  }

  /**
   * Writes the source to a partial file and renames it once its length is right: for `cat`, a cut connection looks like
   * the end of the input. Throws errors of the source too.
   */
  async write(path: string, source: AsyncIterable<Uint8Array>): Promise<void> {
    const partial = await this.#partialOf(path);
    await this.#commands.slot(async () => {
      const cat = await this.#commands.start({ command: 'cat', args: [], cwd: '/', env: {} }, partial);
      try {
        const sent = await this.#send(path, cat, source);
        const size = await this.size(partial);
        if (size !== sent) {
          const why = `${String(size)} of ${String(sent)} bytes of ${path} arrived`;
          throw new MurmurError('UNAVAILABLE', `host ${this.#connection.host}: ${why}`);
        }
        await this.#rename(partial, path);
      } catch (error) {
        if (!this.#connection.lost.aborted) {
          await cat.kill();
          await this.#drop(partial);
        }
        throw error;
      }
    });
  }

  /** Resolves with the number of bytes once `cat` has written all of them. */
  async #send(path: string, cat: RunningCommand, source: AsyncIterable<Uint8Array>): Promise<number> {
    let sent = 0;
    let said = '';
    cat.stdout.resume();
    cat.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    const hasSaid = Promise.withResolvers<undefined>();
    cat.stderr.once('close', () => hasSaid.resolve(undefined));
    const failed = cat.ended.then(async ({ code, problem }) => {
      if (code === 0) return;
      // The exit status may arrive before the words.
      await hasSaid.promise;
      throw this.#unwritable(path, problem ?? said.trim());
    });
    failed.catch(() => undefined);
    for await (const piece of source) {
      if (piece.length === 0) continue;
      sent += piece.length;
      const { promise, resolve } = Promise.withResolvers<undefined>();
      // The callback comes when the host accepts more data: never, once the link is dead.
      cat.channel.write(piece, () => resolve(undefined));
      await this.#connection.untilLost(Promise.race([promise, failed]));
    }
    cat.channel.end();
    await this.#connection.untilLost(within(END_LIMIT_MS, failed, () => this.#failure('cat does not end')));
    return sent;
  }

  /** Lets every user read a folder and everything below it. */
  async open(folder: string): Promise<void> {
    await this.#command('chmod', ['-R', 'u=rwX,go=rX', '--', folder]);
  }

  /** Renames a folder, if the new name is free. */
  async moveFolder(from: string, to: string): Promise<void> {
    await this.#command('mv', ['-T', '-n', '--', from, to]);
    if ((await this.size(from)) !== undefined) throw this.#failure(`${to} already exists`);
  }

  async removeFolder(folder: string): Promise<void> {
    await this.#command('rm', ['-rf', '--', folder]);
  }

  async #command(command: string, args: readonly string[]): Promise<void> {
    const { exitCode, stderr } = await this.#commands.run(
      { command, args, cwd: '/', env: {} },
      { timeoutMs: END_LIMIT_MS },
    );
    if (exitCode !== 0) throw this.#failure(`${command} failed: ${stderr.trim()}`);
  }

  /** Streams the file up to its current length. Ends early only with an error. Throws NOT_FOUND for a missing file. */
  async read(path: string): Promise<Readable> {
    const size = await this.size(path);
    if (size === undefined) throw this.#missing(path);
    const ready = Promise.withResolvers<RunningCommand>();
    // Holds the slot until the reader is done.
    const done = Promise.withResolvers<undefined>();
    void this.#commands
      .slot(async () => {
        const args = ['-c', String(size), '--', path];
        ready.resolve(await this.#commands.start({ command: 'head', args, cwd: '/', env: {} }));
        await done.promise;
      })
      .catch((error: unknown) => ready.reject(error));
    const running = await ready.promise;
    running.channel.end();
    running.stderr.resume();
    const stream = Readable.from(this.#whole(running, path, size), { objectMode: false });
    stream.once('close', () => {
      // Also needed for a stream that was never read.
      running.channel.resume();
      running.channel.close();
      done.resolve(undefined);
    });
    return stream;
  }

  async *#whole(running: RunningCommand, path: string, size: number): AsyncGenerator<Buffer> {
    const lost = this.#connection.lost;
    const onLost = (): void => void running.stdout.destroy(lost.reason as Error);
    if (lost.aborted) onLost();
    else lost.addEventListener('abort', onLost, { once: true });
    let bytes = 0;
    try {
      for await (const chunk of running.stdout as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        yield chunk;
      }
      if (bytes !== size) throw this.#failure(`${path} broke off after ${String(bytes)} of ${String(size)} bytes`);
    } finally {
      lost.removeEventListener('abort', onLost);
    }
  }

  /** A temporary path beside the file. Creates its folder. */
  async #partialOf(path: string): Promise<string> {
    await this.#makeFolder(posix.dirname(path));
    return `${path}.${randomBytes(8).toString('hex')}`;
  }

  async #makeFolder(folder: string): Promise<void> {
    if ((await this.size(folder)) !== undefined) return;
    await this.#makeFolder(posix.dirname(folder));
    try {
      await this.#sftp((sftp, done) => sftp.mkdir(folder, { mode: 0o700 }, done), { writes: folder });
    } catch (error) {
      // Another call may have just created it.
      if ((await this.size(folder)) === undefined) throw error;
    }
  }

  /** Replaces an existing file. SFTP's plain rename does not. */
  async #rename(from: string, to: string): Promise<void> {
    await this.#sftp((sftp, done) => sftp.ext_openssh_rename(from, to, done));
  }

  async #drop(path: string): Promise<void> {
    await this.#sftp((sftp, done) => sftp.unlink(path, done)).catch(() => undefined);
  }

  async #sftp<Value = undefined>(
    start: (sftp: SFTPWrapper, done: (error: Error | null | undefined, value?: Value) => void) => void,
    { reads, writes }: { readonly reads?: string; readonly writes?: string } = {},
  ): Promise<Value> {
    const sftp = await this.#connection.sftp();
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    start(sftp, (error, value) => {
      if (error === undefined || error === null) resolve(value as Value);
      else if ((error as { code?: unknown }).code === NO_SUCH_FILE && reads !== undefined) reject(this.#missing(reads));
      else if (writes !== undefined) reject(this.#unwritable(writes, error.message, error));
      else reject(this.#failure(error.message, error));
    });
    return await this.#connection.untilLost(promise);
  }

  #missing(path: string): MurmurError {
    return new MurmurError('NOT_FOUND', `host ${this.#connection.host} has no file ${path}`);
  }

  /** SFTP has no word for a full disk: it says `Failure`. */
  #unwritable(path: string, why: string, cause?: unknown): MurmurError {
    return new MurmurError('UNAVAILABLE', `host ${this.#connection.host}: ${path} cannot be written: ${why}`, {
      hint: 'let the login write there, and make room on that disk',
      cause,
    });
  }

  #failure(why: string, cause?: unknown): MurmurError {
    return new MurmurError('UNAVAILABLE', `host ${this.#connection.host}: ${why}`, { cause });
  }
}

async function within<Value>(limitMs: number, work: Promise<Value>, late: () => Error): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late()), limitMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
