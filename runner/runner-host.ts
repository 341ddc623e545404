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

/** A process without a request for this long was started by a worker that was killed just then. It exits. */
const UNASKED_MS = 60_000;

export class RunnerHost {
  /** Resolves when the last runner has stopped, or when no request came within `UNASKED_MS`. */
  readonly stopped: Promise<void>;
  readonly #serve: (directory: string, callerEnv: NodeJS.ProcessEnv) => Promise<ServedRunner>;
  readonly #serving = new Map<string, Promise<ServedRunner>>();
  /** Ids of cancelled requests to serve. */
  readonly #dropped = new Set<string>();
  readonly #done = Promise.withResolvers<void>();
  readonly #unasked: NodeJS.Timeout;
  #server: HttpServer | undefined;
  /** Set from a stop request, or from the end of the last runner. */
  #refusing = false;

  constructor(serve: (directory: string, callerEnv: NodeJS.ProcessEnv) => Promise<ServedRunner>) {
    this.#serve = serve;
    this.stopped = this.#done.promise;
    this.#unasked = setTimeout(() => this.#close(), UNASKED_MS);
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
    clearTimeout(this.#unasked);
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
    if (this.#serving.size === 0) this.#close();
  }

  #close(): void {
    this.#refusing = true;
    clearTimeout(this.#unasked);
    void (this.#server?.close() ?? Promise.resolve()).then(this.#done.resolve);
  }
}
