// Supervises the embedded stack: claims the home, ends what a killed supervisor left running, starts the processes in
// order, restarts them when they end, and stops them in order.
import { MurmurError } from '../../contract/wire/errors.ts';
import type { StackRecord } from '../../contract/stack.ts';
import { readDevServer } from '../temporal/dev-server.ts';
import { rotateLive, tailOf, type LogName } from '../logs.ts';
import { identityOf } from '../process.ts';
import { PACKAGE_ROOT } from '../../config/package.ts';
import { choosePorts, type StackPorts } from '../ports.ts';
import { readRecord, removeRecord, runningRecord, withStartLock, writeRecord } from '../record.ts';
import { stopRunners } from '../runners.ts';
import { endLeftovers } from './leftovers.ts';
import { superviseChild, type ChildSpec, type SupervisedChild } from './child.ts';
import { serverIsReady, temporalHasStarted, temporalIsReady, waitUntil, type TemporalHttp } from './readiness.ts';
import { serverSpec, sharedEnvironment, workerSpec } from './specs.ts';
import type { StackSettings } from './settings.ts';
import { holdSockets, type StackSockets } from './sockets.ts';
import { temporalHttp, temporalStart } from './temporal.ts';

/** A process is ready within a second on an idle machine. A slow machine under load may need this long. */
const READY_MS = 90_000;

/**
 * Temporal has started all its services when worker and API server are ready, or soon after. The check depends on
 * internal names; for a release with other names, the start does not wait longer.
 */
const SETTLED_MS = 10_000;

/** A process that ends this often before it is ready counts as crash-looping. */
const START_ATTEMPTS = 3;

/** Interval of checks of the logs' sizes. */
const ROTATE_MS = 60_000;

export interface SuperviseOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Aborts to stop the stack. */
  readonly stop: AbortSignal;
  /** Called with a line for each step, and when the stack is ready. */
  readonly onProgress: (message: string) => void;
  readonly onReady?: (record: StackRecord) => void;
}

/**
 * Runs the stack until `stop` aborts and every process has ended. Throws ALREADY_EXISTS when another supervisor runs
 * for the home, and FAILED_PRECONDITION or UNAVAILABLE when the stack does not start. Then no process is left.
 */
export async function supervise(settings: StackSettings, options: SuperviseOptions): Promise<void> {
  const stack = new Stack(settings, options);
  await stack.claim();
  try {
    await stack.replace();
    await stack.start();
    await stack.keep();
  } catch (error) {
    await stack.end(options.stop.aborted ? undefined : asMurmurError(error));
    throw error;
  }
  await stack.end();
}

class Stack {
  readonly #settings: StackSettings;
  readonly #options: SuperviseOptions;
  readonly #children: SupervisedChild[] = [];
  #record: StackRecord | undefined;
  #sockets: StackSockets | undefined;
  /** Serializes the writes of stack.json. */
  #writing: Promise<void> = Promise.resolve();

  constructor(settings: StackSettings, options: SuperviseOptions) {
    this.#settings = settings;
    this.#options = options;
  }

  /** Makes this process the supervisor of the home. */
  async claim(): Promise<void> {
    const { home, version } = this.#settings;
    const supervisor = await identityOf(process.pid);
    if (supervisor === undefined) throw new MurmurError('INTERNAL', 'cannot tell when this process started');
    await withStartLock(home, async () => {
      const other = await runningRecord(home);
      if (other !== undefined) throw alreadyRunning(other);
      const old = await readRecord(home);
      this.#record = {
        version,
        state: 'starting',
        supervisor,
        message: 'starting',
        started_at: new Date().toISOString(),
        children: old?.children ?? {},
      };
      await writeRecord(home, this.#record);
    });
  }

  /**
   * Ends processes of an earlier supervisor, which may be of another build. No worker runs afterwards: one that cannot
   * read what this build writes must not poll (ADR 31). The record names them until they have ended.
   */
  async replace(): Promise<void> {
    const ended = await endLeftovers(this.#settings.home, this.#record?.children ?? {});
    if (ended) this.#say('ended the processes of a killed supervisor');
    await this.#update({ children: {} });
  }

  async start(): Promise<void> {
    const { home, ports: wanted, temporal } = this.#settings;
    const { env } = this.#options;
    const isEmbedded = 'binary' in temporal;
    const hasRelay = isEmbedded && !('open' in temporal.network);
    const ports = await choosePorts(wanted, isEmbedded, hasRelay);
    this.#sockets = await holdSockets(ports, hasRelay);
    const server = { url: `http://127.0.0.1:${ports.api.toString()}` };
    const http = isEmbedded ? await this.#startTemporal(temporal, ports, this.#sockets.relay) : undefined;
    if (!isEmbedded) await this.#update({ temporal: { ...temporal, embedded: false } });
    await this.#update({ server });
    this.#say('starting the worker and the API server');
    const shared = sharedEnvironment(this.#settings, ports.api);
    await Promise.all([
      this.#supervise(workerSpec(this.#settings, shared, env)),
      this.#supervise(serverSpec(this.#settings, shared, env, this.#sockets.api)),
    ]);
    await this.#untilReady('server', () => serverIsReady(server.url));
    if (http !== undefined) await waitUntil(() => temporalHasStarted(http), SETTLED_MS, this.#options.stop);
    await this.#update({ state: 'ready', message: 'ready' });
    this.#say(`ready: API ${server.url}, logs in ${home.logs.folder}`);
    if (this.#record !== undefined) this.#options.onReady?.(this.#record);
  }

  async #startTemporal(
    temporal: Extract<StackSettings['temporal'], { readonly binary: string }>,
    ports: StackPorts,
    sockets: StackSockets['relay'],
  ): Promise<TemporalHttp> {
    const description = await readDevServer(PACKAGE_ROOT);
    const options = { ...temporal, description, ports: ports.temporal, sockets, env: this.#options.env };
    const { record, spec } = await temporalStart(this.#settings, options);
    const http = await temporalHttp(record);
    await this.#update({ temporal: record });
    this.#say(`starting Temporal on ${record.address}`);
    await this.#supervise(spec);
    const attributes = Object.keys(description.search_attributes);
    await this.#untilReady('temporal', () => temporalIsReady(http, description.namespace, attributes));
    return http;
  }

  /** Resolves when `stop` aborts. */
  async keep(): Promise<void> {
    const { home } = this.#settings;
    const names: readonly LogName[] = ['supervisor', 'temporal', 'worker', 'server'];
    const rotate = setInterval(() => {
      for (const name of names) rotateLive(home, name).catch(() => undefined); // a full disk must not end the stack
    }, ROTATE_MS);
    const { stop } = this.#options;
    await new Promise<void>((resolve) => {
      if (stop.aborted) resolve();
      stop.addEventListener('abort', () => {
        resolve();
      });
    });
    clearInterval(rotate);
  }

  /**
   * Stops the worker first, so that it hands over its turns; then the runners; then the servers that they use. The
   * record says so last: without one, the next start would not know of these processes. After a failed start, it has
   * the reason, for the process that waits for the start.
   */
  async end(failure?: MurmurError): Promise<void> {
    if (failure === undefined) await this.#update({ state: 'stopping', message: 'stopping' });
    await this.#stopChild('worker');
    const machines = await stopRunners(this.#settings.home);
    if (machines.length > 0) this.#say(`stopped ${machines.length.toString()} runner(s)`);
    await this.#stopChild('server');
    await this.#stopChild('temporal');
    this.#sockets?.close();
    await this.#writing;
    if (failure === undefined) await removeRecord(this.#settings.home);
    else await this.#fail(failure);
    this.#say('stopped');
  }

  async #fail(failure: MurmurError): Promise<void> {
    const { server: _server, temporal: _temporal, ...rest } = this.#record ?? {};
    this.#record = rest as StackRecord; // without addresses, because nothing runs there
    await this.#update({ state: 'failed', message: failure.message, error: failure.toBody() });
  }

  async #stopChild(name: string): Promise<void> {
    await this.#children.find((child) => child.name === name)?.stop();
  }

  async #supervise(spec: ChildSpec): Promise<void> {
    const child = await superviseChild(this.#settings.home, spec, {
      onStart: async (name, identity) => {
        await this.#update({ children: { ...this.#record?.children, [name]: identity } });
      },
      onExit: (name, how, pauseMs) => {
        this.#say(`${name} ended (${how}): restarting it in ${pauseMs.toString()} ms`);
      },
    });
    this.#children.push(child);
  }

  /** Throws when it takes too long, or when a process is crash-looping. */
  async #untilReady(name: LogName, check: () => Promise<boolean>): Promise<void> {
    const crashLooping = (): SupervisedChild | undefined =>
      this.#children.find(({ failures }) => failures >= START_ATTEMPTS);
    const settled = await waitUntil(
      async () => crashLooping() !== undefined || (await check()),
      READY_MS,
      this.#options.stop,
    );
    const failed = crashLooping();
    if (settled && failed === undefined) return;
    const { home } = this.#settings;
    const culprit = failed?.name ?? name;
    const why =
      failed === undefined ? `is not ready after ${(READY_MS / 1_000).toString()} s` : 'ends as soon as it starts';
    const tail = await tailOf(home, culprit);
    throw new MurmurError(
      'UNAVAILABLE',
      `the ${culprit} process ${why}${tail === '' ? '' : `; its last log lines:\n${tail}`}`,
      {
        hint: `read ${home.logs[culprit]}`,
      },
    );
  }

  #say(message: string): void {
    this.#options.onProgress(message);
    if (this.#record?.state === 'starting') void this.#update({ message });
  }

  async #update(change: Partial<StackRecord>): Promise<void> {
    if (this.#record === undefined) return;
    const record = { ...this.#record, ...change };
    this.#record = record;
    this.#writing = this.#writing.then(() => writeRecord(this.#settings.home, record)).catch(() => undefined);
    await this.#writing;
  }
}

function alreadyRunning(record: StackRecord): MurmurError {
  return new MurmurError(
    'ALREADY_EXISTS',
    `the stack is already running as process ${record.supervisor.pid.toString()}`,
    {
      hint: '`murmur down` stops it',
    },
  );
}

function asMurmurError(error: unknown): MurmurError {
  return error instanceof MurmurError ? error : new MurmurError('INTERNAL', String(error), { cause: error });
}
