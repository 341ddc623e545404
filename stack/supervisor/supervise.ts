// The life of the embedded stack: claim the home, clear what a killed supervisor left, start the processes in order,
// keep them alive, and stop them in order.
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

/** Ready in a second on an idle machine; a slow one under load gets this long for each process. */
const READY_MS = 90_000;

/**
 * Temporal has started all of its services when the worker and the API server have, or soon after; a release that calls
 * them otherwise is not waited for longer.
 */
const SETTLED_MS = 10_000;

/** A process that ends this often before it is ready will not become ready. */
const START_ATTEMPTS = 3;

/** Logs are looked at this often; in between one grows by at most what its process can write. */
const ROTATE_MS = 60_000;

export interface SuperviseOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Aborted when the stack is to stop. */
  readonly stop: AbortSignal;
  /** One line for each step; also once the stack is ready. */
  readonly onProgress: (message: string) => void;
  readonly onReady?: (record: StackRecord) => void;
}

/**
 * Runs the stack until `stop` is aborted and every process has ended. Throws ALREADY_EXISTS when another supervisor
 * holds the home, and FAILED_PRECONDITION or UNAVAILABLE when the stack does not start; nothing runs then.
 */
export async function supervise(settings: StackSettings, options: SuperviseOptions): Promise<void> {
  const stack = new Stack(settings, options);
  await stack.claim();
  try {
    await stack.start();
    await stack.keep();
  } catch (error) {
    if (!options.stop.aborted) await stack.fail(error);
    throw error;
  } finally {
    await stack.end();
  }
}

class Stack {
  readonly #settings: StackSettings;
  readonly #options: SuperviseOptions;
  readonly #children: SupervisedChild[] = [];
  #record: StackRecord | undefined;
  #sockets: StackSockets | undefined;
  #failed = false;
  /** Writes of stack.json, one after the other. */
  #writing: Promise<void> = Promise.resolve();

  constructor(settings: StackSettings, options: SuperviseOptions) {
    this.#settings = settings;
    this.#options = options;
  }

  /** Makes this process the supervisor of the home, and ends what an earlier one left. */
  async claim(): Promise<void> {
    const { home, version } = this.#settings;
    const supervisor = await identityOf(process.pid);
    if (supervisor === undefined) throw new MurmurError('INTERNAL', 'cannot tell when this process started');
    const leftovers = await withStartLock(home, async () => {
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
      return this.#record.children;
    });
    if (await endLeftovers(leftovers)) this.#say('ended the processes of a killed supervisor');
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
      this.#keep(workerSpec(this.#settings, shared, env)),
      this.#keep(serverSpec(this.#settings, shared, env, this.#sockets.api)),
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
    await this.#keep(spec);
    const attributes = Object.keys(description.search_attributes);
    await this.#untilReady('temporal', () => temporalIsReady(http, description.namespace, attributes));
    return http;
  }

  /** Resolves when the stack is to stop. */
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

  /** Leaves the reason in stack.json for whoever waits for the start. */
  async fail(error: unknown): Promise<void> {
    this.#failed = true;
    const known = error instanceof MurmurError ? error : new MurmurError('INTERNAL', String(error), { cause: error });
    const { server: _server, temporal: _temporal, ...rest } = this.#record ?? {};
    this.#record = rest as StackRecord; // nobody is to connect to what did not start
    await this.#update({ state: 'failed', message: known.message, error: known.toBody() });
  }

  /**
   * The worker first, so that it hands its turns over; then the runners; then what they talk to. After a failed start
   * the record stays, as the answer to whoever started it.
   */
  async end(): Promise<void> {
    if (!this.#failed) await this.#update({ state: 'stopping', message: 'stopping' });
    await this.#stopChild('worker');
    const machines = await stopRunners(this.#settings.home);
    if (machines.length > 0) this.#say(`stopped ${machines.length.toString()} runner(s)`);
    await this.#stopChild('server');
    await this.#stopChild('temporal');
    this.#sockets?.close();
    await this.#writing;
    if (!this.#failed) await removeRecord(this.#settings.home);
    this.#say('stopped');
  }

  async #stopChild(name: string): Promise<void> {
    await this.#children.find((child) => child.name === name)?.stop();
  }

  async #keep(spec: ChildSpec): Promise<void> {
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

  /** Throws when it takes too long, or when any of the processes keeps ending. */
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
