// A process that serves the runners of several machines of one host: a process per runner would cost each agent a Node
// start and 60 MB. The runners are separate: each has its own port, token, journal and claim, and its agent's processes
// have their own namespaces.
import { randomBytes } from 'node:crypto';
import { MurmurError } from '../contract/wire/errors.ts';
import type { DropRequest, RunnerHostAccess, ServeRequest } from '../contract/wire/runner.ts';
import { dropRequest, serveRequest } from './http/requests.ts';
import { HttpServer } from './http/server.ts';
import { claimDirectory } from './only-one.ts';
import type { ServedRunner } from './serve.ts';

/**
 * A process that serves nothing for this long exits. The next agent of a worker often comes sooner, and its spawn then
 * saves a Node start. In milliseconds.
 */
const IDLE_MS = 60_000;

export interface RunnerHostOptions {
  /** Whether somebody may still ask for more runners after the last one; see `release`. False unless given. */
  readonly kept?: boolean;
  /** Instead of `IDLE_MS`. */
  readonly idleMs?: number;
}

export class RunnerHost {
  /** Resolves when the last runner has stopped and nobody keeps the process, or when it serves nothing for `IDLE_MS`. */
  readonly stopped: Promise<void>;
  readonly #serve: (directory: string, callerEnv: NodeJS.ProcessEnv) => Promise<ServedRunner>;
  readonly #serving = new Map<string, Promise<ServedRunner>>();
  /** Ids of cancelled requests to serve. */
  readonly #dropped = new Set<string>();
  readonly #done = Promise.withResolvers<void>();
  readonly #idleMs: number;
  #idle: NodeJS.Timeout;
  #kept: boolean;
  #server: HttpServer | undefined;
  /** Set from a stop request, or from the end of the last runner. */
  #refusing = false;

  constructor(
    serve: (directory: string, callerEnv: NodeJS.ProcessEnv) => Promise<ServedRunner>,
    { kept = false, idleMs = IDLE_MS }: RunnerHostOptions = {},
  ) {
    this.#serve = serve;
    this.#kept = kept;
    this.#idleMs = idleMs;
    this.stopped = this.#done.promise;
    this.#idle = setTimeout(() => this.#close(), idleMs);
  }

  /** Listens on a free port of 127.0.0.1. */
  async listen(): Promise<RunnerHostAccess> {
    const token = randomBytes(32).toString('hex');
    this.#server = new HttpServer({
      token,
      routes: {
        'POST /serve': async ({ body }) => this.serve(serveRequest(body)),
        'POST /drop': async ({ body }) => this.drop(dropRequest(body)),
      },
    });
    return { pid: process.pid, port: await this.#server.listen(), token, proves: true };
  }

  /**
   * Resolves when the runner serves. Idempotent. Throws ALREADY_EXISTS when another process serves the machine,
   * UNAVAILABLE when this process is about to exit, FAILED_PRECONDITION when the request was dropped before it arrived,
   * and the errors of the runner's start.
   */
  async serve({ directory, env, request_id: request }: ServeRequest): Promise<object> {
    clearTimeout(this.#idle);
    const known = this.#serving.get(directory);
    if (known !== undefined) {
      const served = await known;
      if (!served.ending.aborted) return {};
      await served.stopped;
    }
    if (this.#refusing) throw new MurmurError('UNAVAILABLE', 'this process is about to end');
    if (this.#dropped.has(request))
      throw new MurmurError('FAILED_PRECONDITION', 'the machine was stopped or destroyed meanwhile');
    const serving = this.#start(directory, env);
    this.#serving.set(directory, serving);
    await serving.catch(() => this.#leave(directory));
    await serving;
    return {};
  }

  /** Stops the runner, also while it starts. Resolves once it has ended. No-op for an unknown one. */
  async drop({ directory, request_id: request }: DropRequest): Promise<object> {
    this.#dropped.add(request);
    await this.#end(directory);
    return {};
  }

  /** To be called when nobody will ask for more runners: the process exits after the last one. */
  release(): void {
    this.#kept = false;
    if (this.#serving.size === 0) this.#close();
  }

  /** Stops every runner. */
  async stop(): Promise<void> {
    this.#refusing = true;
    const ends = await Promise.allSettled([...this.#serving.keys()].map((directory) => this.#end(directory)));
    // Waits for all runners, even if one cannot be stopped cleanly.
    for (const end of ends) if (end.status === 'rejected') console.error(end.reason);
    this.#close();
  }

  async #end(directory: string): Promise<void> {
    const served = await this.#serving.get(directory)?.catch(() => undefined);
    await served?.stop();
  }

  async #start(directory: string, env: NodeJS.ProcessEnv): Promise<ServedRunner> {
    const claim = await claimDirectory(directory);
    if (claim === undefined) throw new MurmurError('ALREADY_EXISTS', `another runner serves ${directory}`);
    try {
      const served = await this.#serve(directory, env);
      void served.stopped.then(() => {
        claim.release();
        this.#leave(directory);
      });
      return served;
    } catch (error) {
      claim.release();
      throw error;
    }
  }

  #leave(directory: string): void {
    this.#serving.delete(directory);
    if (this.#serving.size > 0) return;
    if (!this.#kept) return this.#close();
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#close(), this.#idleMs);
  }

  #close(): void {
    this.#refusing = true;
    clearTimeout(this.#idle);
    void (this.#server?.close() ?? Promise.resolve()).then(this.#done.resolve);
  }
}
