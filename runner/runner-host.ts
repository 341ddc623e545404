// A process that serves the runners of several machines of one host: a process for each would cost every agent the start
// of a Node and 60 MB. The runners stay apart: each has its machine's port, token, journal and claim, and its agent's
// processes are held by namespaces of their own.
import { randomBytes } from 'node:crypto';
import { MurmurError } from '../contract/wire/errors.ts';
import type { DropRequest, RunnerHostAccess, ServeRequest } from '../contract/wire/runner.ts';
import { dropRequest, serveRequest } from './http/requests.ts';
import { HttpServer } from './http/server.ts';
import { claimDirectory } from './only-one.ts';
import type { ServedRunner } from './serve.ts';

/** One that nobody has asked for anything was started by a worker that was killed at that moment. */
const UNASKED_MS = 60_000;

export class RunnerHost {
  /** Resolves when the last runner has stopped, or when nobody ever asked for one. */
  readonly stopped: Promise<void>;
  readonly #serve: (directory: string, callerEnv: NodeJS.ProcessEnv) => Promise<ServedRunner>;
  readonly #serving = new Map<string, Promise<ServedRunner>>();
  /** Requests to serve that are not to be followed any more. */
  readonly #dropped = new Set<string>();
  readonly #done = Promise.withResolvers<void>();
  readonly #unasked: NodeJS.Timeout;
  #server: HttpServer | undefined;
  /** From the order to stop, or the end of the last runner. */
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
   * Resolves when the runner serves; the same again changes nothing. Throws ALREADY_EXISTS when another process serves
   * this machine, UNAVAILABLE when this one is about to end, FAILED_PRECONDITION when the request was dropped before it
   * came, and what the start of the runner throws.
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
      throw new MurmurError('FAILED_PRECONDITION', 'the machine has been ended meanwhile');
    const serving = this.#start(directory, env);
    this.#serving.set(directory, serving);
    await serving.catch(() => this.#leave(directory));
    await serving;
    return {};
  }

  /** Stops the runner, also one that is just starting. Resolves when nothing of it runs; no-op for one that is not here. */
  async drop({ directory, request_id: request }: DropRequest): Promise<object> {
    this.#dropped.add(request);
    await this.#end(directory);
    return {};
  }

  /** Stops every runner. */
  async stop(): Promise<void> {
    this.#refusing = true;
    const ends = await Promise.allSettled([...this.#serving.keys()].map((directory) => this.#end(directory)));
    // One that cannot be stopped as it should is no reason to cut the others short.
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
