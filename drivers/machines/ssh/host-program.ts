// The client of the program that manages a host's machines: calls over one channel.
import { createInterface } from 'node:readline';
import { MurmurError } from '../../../contract/wire/errors.ts';
import type { SshConnection } from './connection.ts';
import type { Commands, RunningCommand } from './exec.ts';
import type { HostCallName, HostCalls, HostReply, HostRequest } from './host-call.ts';

/** Characters of stderr in the error when the program has ended. */
const STDERR_TAIL = 2_000;

export class HostProgram {
  readonly #connection: SshConnection;
  readonly #running: RunningCommand;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #stderr = '';
  #ended: MurmurError | undefined;
  #count = 0;

  private constructor(connection: SshConnection, running: RunningCommand) {
    this.#connection = connection;
    this.#running = running;
    running.stderr.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-STDERR_TAIL);
    });
    createInterface({ input: running.stdout }).on('line', (line) => this.#onLine(line));
    void running.ended.then(({ problem }) => this.#end(problem));
  }

  /** Starts the program. It ends with its channel. */
  static async start(
    connection: SshConnection,
    commands: Commands,
    node: string,
    file: string,
    env: Readonly<Record<string, string>>,
  ): Promise<HostProgram> {
    return new HostProgram(connection, await commands.start({ command: node, args: [file], cwd: '/', env }));
  }

  /** Whether the program still accepts calls. */
  get isAlive(): boolean {
    return this.#ended === undefined && !this.#connection.lost.aborted;
  }

  /**
   * One call. Throws the program's error, UNAVAILABLE when it ended or the connection was lost, and the signal's
   * reason.
   */
  async call<Name extends HostCallName>(
    call: Name,
    args: HostCalls[Name]['args'],
    signal?: AbortSignal,
  ): Promise<HostCalls[Name]['answer']> {
    signal?.throwIfAborted();
    if (this.#ended !== undefined) throw this.#ended;
    const id = (this.#count += 1);
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    // The program answers a cancelled call too, once it has undone what it began.
    const onAbort = (): void => this.#send({ cancel: id });
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      this.#send({ id, call, args });
      return (await this.#connection.untilLost(waiting.promise)) as HostCalls[Name]['answer'];
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#waiting.delete(id);
    }
  }

  #send(request: HostRequest): void {
    this.#running.channel.write(`${JSON.stringify(request)}\n`);
  }

  #onLine(line: string): void {
    const reply = JSON.parse(line) as HostReply;
    const waiting = this.#waiting.get(reply.id);
    if ('error' in reply) waiting?.reject(MurmurError.fromBody(reply.error));
    else waiting?.resolve(reply.answer);
  }

  #end(problem: string | undefined): void {
    const why = problem ?? (this.#stderr.trim() || 'it said nothing');
    this.#ended = new MurmurError('UNAVAILABLE', `the program on host ${this.#connection.host} has ended: ${why}`);
    for (const waiting of this.#waiting.values()) {
      waiting.reject(this.#ended);
      waiting.promise.catch(() => undefined);
    }
  }
}
