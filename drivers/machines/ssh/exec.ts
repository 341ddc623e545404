// Runs commands on a host over its connection: a few at once, each in its own process group.
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import pLimit from 'p-limit';
import type { ClientChannel } from 'ssh2';
import { MurmurError } from '../../../contract/wire/errors.ts';
import type { ExecResult } from '../provider.ts';
import { commandLine, readFact, wrapperLine, type HostCommand } from './command-line.ts';
import { WrappedOutput } from './wrapped-output.ts';
import type { SshConnection } from './connection.ts';

/**
 * A server runs ten at once (MaxSessions). One is the SFTP channel, one the host's own program, one is kept for ending
 * a command that takes too long.
 */
const AT_ONCE = 7;
/** Limit of captured output. Larger content is read as a stream. */
const MOST_OUTPUT = 64 * 1024 * 1024;

/** Exit status of a wrapper that could not run its command, and of shells that did not find one. */
const CANNOT_RUN = 127;

/** A shell reports its group within milliseconds; a busy host may need far longer, and a stopped one never does. */
const GROUP_LIMIT_MS = 10_000;

export interface RunOptions {
  readonly input?: string | Buffer;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** A running command. Its streams begin after the wrapper's own output. */
export interface RunningCommand {
  readonly channel: ClientChannel;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Exit code, or why the command could not run. */
  readonly ended: Promise<CommandEnd>;
  /** Kills the process group, by another command. */
  kill(): Promise<void>;
}

export interface CommandEnd {
  /** Undefined when a signal ended the command, or when no exit status arrived. */
  readonly code: number | undefined;
  readonly signal: string | undefined;
  /** Why it did not run. */
  readonly problem: string | undefined;
}

/** Runs commands on one connection. */
export class Commands {
  readonly #connection: SshConnection;
  readonly #limit = pLimit(AT_ONCE);

  constructor(connection: SshConnection) {
    this.#connection = connection;
  }

  /**
   * Runs a command to its end. Resolves for any exit code. After the time limit, kills its group and throws
   * DEADLINE_EXCEEDED. Throws FAILED_PRECONDITION for a program that is missing or that a signal ended, and the reason
   * of a lost connection.
   */
  async run(asked: HostCommand, { input, timeoutMs, signal }: RunOptions): Promise<ExecResult> {
    return await this.slot(async () => {
      const running = await this.start(asked);
      const stdout = collected(running.stdout);
      const stderr = collected(running.stderr);
      running.channel.end(input);
      const stopped = Promise.withResolvers<never>();
      const timer = setTimeout(() => stopped.reject(this.#late(asked, timeoutMs)), timeoutMs);
      const onAbort = (): void => stopped.reject(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      if (signal?.aborted === true) onAbort();
      try {
        const whole = Promise.all([running.ended, stdout, stderr]);
        const [end, out, err] = await this.#connection.untilLost(Promise.race([whole, stopped.promise]));
        return this.#resultOf(asked, end, out, err);
      } catch (error) {
        if (!this.#connection.lost.aborted) await running.kill();
        throw error;
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      }
    });
  }

  /** Waits for one of the `AT_ONCE` slots and holds it while `use` runs. */
  async slot<Value>(use: () => Promise<Value>): Promise<Value> {
    return await this.#limit(use);
  }

  /** Starts a command without taking a slot. The caller writes its input to the channel and ends it. */
  async start(asked: HostCommand, output?: string): Promise<RunningCommand> {
    const word = `murmur-${randomBytes(12).toString('hex')}`;
    const line = commandLine(word, asked, output);
    const channel = await this.#connection.exec(wrapperLine(word));
    const group = Promise.withResolvers<number | undefined>();
    let problem: string | undefined;
    const end = Promise.withResolvers<CommandEnd>();
    // The exit status may arrive before the end of stderr, where the wrapper reports its problem.
    const said = Promise.withResolvers<undefined>();
    channel.on('exit', (code: number | null, signal?: string) => {
      const told = code === CANNOT_RUN ? said.promise : Promise.resolve();
      void told.then(() => end.resolve({ code: code ?? undefined, signal, problem }));
    });
    // A server that goes away sends no exit status.
    channel.on(
      'close',
      () => void said.promise.then(() => end.resolve({ code: undefined, signal: undefined, problem })),
    );
    const onFact = (text: string): void => {
      const fact = readFact(text);
      if ('group' in fact) group.resolve(fact.group);
      else problem = fact.problem;
    };
    const stdout = channel.pipe(new WrappedOutput(word, () => undefined));
    const stderr = channel.stderr.pipe(new WrappedOutput(word, onFact));
    stderr.once('close', () => said.resolve(undefined));
    // A command that ends without a group has not run.
    void end.promise.then(() => group.resolve(undefined));
    channel.write(`${line}\n`);
    return {
      channel,
      stdout,
      stderr,
      ended: end.promise,
      kill: async () => {
        // The command may only be starting: without its group it would go on after the channel has closed.
        const late = setTimeout(() => group.resolve(undefined), GROUP_LIMIT_MS);
        const started = await this.#connection.untilLost(group.promise).finally(() => clearTimeout(late));
        if (started !== undefined) await this.#killGroup(started);
        channel.close();
      },
    };
  }

  async #killGroup(group: number): Promise<void> {
    // Takes no slot of the limit: one session is reserved for this.
    const killing = await this.#connection.exec(`kill -KILL -- -${String(group)}`);
    killing.resume();
    killing.stderr.resume();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    killing.on('close', () => resolve(undefined));
    killing.end();
    await this.#connection.untilLost(promise);
  }

  #late({ command }: HostCommand, timeoutMs: number): MurmurError {
    return new MurmurError(
      'DEADLINE_EXCEEDED',
      `${command} took more than ${String(timeoutMs)} ms on host ${this.#connection.host}`,
    );
  }

  #resultOf({ command }: HostCommand, end: CommandEnd, stdout: Buffer, stderr: Buffer): ExecResult {
    const { code, signal, problem } = end;
    if (problem === undefined && code !== undefined) {
      return { exitCode: code, stdout: stdout.toString('utf8'), stderr: stderr.toString('utf8') };
    }
    const why = problem ?? (signal === undefined ? 'no exit status arrived' : `it was ended by SIG${signal}`);
    throw new MurmurError('FAILED_PRECONDITION', `${command} did not run on host ${this.#connection.host}: ${why}`);
  }
}

async function collected(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_OUTPUT) {
      throw new MurmurError('RESOURCE_EXHAUSTED', `a command printed more than ${String(MOST_OUTPUT)} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
