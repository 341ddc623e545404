// Runs the runner as a process: files, HTTP routes, shutdown.
import { randomBytes } from 'node:crypto';
import { MurmurError } from '../contract/wire/errors.ts';
import type { CleanStop, RunnerAddress, RunnerConfig } from '../contract/wire/runner.ts';
import { streamEvents } from './http/event-stream.ts';
import { streamFile } from './http/file-stream.ts';
import {
  assessRequest,
  fileRequest,
  interruptRequest,
  noticeRequest,
  openRequest,
  portRequest,
  stopRequest,
  turnRequest,
} from './http/requests.ts';
import { HttpServer } from './http/server.ts';
import type { Route } from './http/server.ts';
import { machinePaths } from './machine-paths.ts';
import type { MachinePaths } from './machine-paths.ts';
import { Runner } from './runner.ts';
import type { RunnerOptions } from './runner.ts';
import { makeRunFolder } from './run-folder.ts';
import { readState, removeState, writeState } from './state-file.ts';

/** A reason of its own: the default one is an error with a stack, made at the end of each agent. */
const STOPPED = 'the runner has stopped';

export interface ServedRunner {
  readonly port: number;
  /** Bearer token of every call. Each start creates a new one. */
  readonly token: string;
  /** Aborts once a stop was requested and no more calls are accepted. */
  readonly ending: AbortSignal;
  /** Resolves when a stop, by call or by `stop`, is complete. */
  readonly stopped: Promise<void>;
  stop(): Promise<void>;
}

export type ServeOptions = Omit<RunnerOptions, 'paths' | 'machine' | 'containment' | 'disk'> & {
  /** Interval of disk checks in milliseconds; a second unless given. */
  readonly diskLookMs?: number;
  /** Whether this process serves only this machine and may use its `run` as working directory. */
  readonly entersRun?: boolean;
  readonly openIsolation: (config: RunnerConfig, paths: MachinePaths) => Promise<RunnerOptions['containment']>;
};

/** Reads `<runner>/config.json`, serves the protocol on a free loopback port and writes `address.json`. */
export async function serveRunner(directory: string, options: ServeOptions): Promise<ServedRunner> {
  const paths = machinePaths(directory);
  const config = readState<RunnerConfig>(paths.config);
  if (config === undefined) throw new MurmurError('FAILED_PRECONDITION', `${paths.config} is missing`);
  const containment = await options.openIsolation(config, paths);
  removeState(paths.ended);
  removeState(paths.last);
  // Processes of a killed runner would continue to write to the workspace. A machine without an address had no runner
  // that could have started any.
  if (readState<RunnerAddress>(paths.address) !== undefined) await containment.endAll();
  makeRunFolder(paths.run);
  // The broker's socket is created by its short relative path.
  if (options.entersRun === true) process.chdir(paths.run);
  const disk = diskLimitOf(config, paths, options.diskLookMs);
  const runner = new Runner({ ...options, machine: config.machine, paths, containment, disk });
  await runner.listen();
  const closing = new AbortController();
  const token = randomBytes(32).toString('hex');
  const server = new HttpServer({ token, routes: routesOf(runner, closing.signal) });
  const port = await server.listen();
  const address: RunnerAddress = { port, pid: process.pid, started: new Date().toISOString(), token };
  writeState(paths.address, address);
  const stopped = Promise.withResolvers<void>();
  closing.signal.addEventListener('abort', () => {
    // Without an address the next runner looks for no processes of this one.
    if (readState<CleanStop>(paths.ended) !== undefined) removeState(paths.address);
    void server.close().then(stopped.resolve);
  });
  return {
    port,
    token,
    ending: closing.signal,
    stopped: stopped.promise,
    stop: async () => {
      await runner.stop({ status: 'cut_off' });
      closing.abort(STOPPED);
      await stopped.promise;
    },
  };

  function routesOf(served: Runner, closed: AbortSignal): Readonly<Record<string, Route>> {
    return {
      'GET /health': async () => served.health(),
      'POST /open': async ({ body }) => served.open(openRequest(body)),
      'POST /turn': async ({ body }) => served.turn(turnRequest(body)),
      'GET /events': async ({ request, response }) =>
        streamEvents(request, response, { journal: served.journal, endOf: served.endOf, closing: closed }),
      'POST /interrupt': async ({ body }) => {
        served.interrupt(interruptRequest(body));
        return {};
      },
      'POST /notice': async ({ body }) => {
        served.notice(noticeRequest(body));
        return {};
      },
      'POST /assess': async ({ body }) => served.assess(assessRequest(body)),
      'POST /file': async ({ body, response }) => {
        const asked = fileRequest(body);
        await streamFile(response, (signal) => served.readFile(asked, signal), closed);
      },
      'POST /port': async ({ body }) => ({ holder: await containment.portHolder(portRequest(body).port) }),
      'POST /snapshot': async () => served.snapshot(),
      'POST /stop': async ({ body, response }) => {
        await served.stop(stopRequest(body));
        if (response.destroyed) closing.abort(STOPPED);
        response.once('close', () => closing.abort(STOPPED));
        return {};
      },
    };
  }
}

/** The disk limit in the runner's configuration; undefined on a machine of a build without this limit. */
function diskLimitOf(
  { isolation }: RunnerConfig,
  paths: MachinePaths,
  lookMs: number | undefined,
): RunnerOptions['disk'] {
  const { limits, paths: own } = isolation;
  if (limits === undefined) return undefined;
  // The isolation's folder contains the machine's /tmp.
  const folders = [paths.home, paths.work, paths.run, own.isolation];
  return { folders, limitMb: limits.disk_mb, ...(lookMs === undefined ? {} : { lookMs }) };
}
