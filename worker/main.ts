// Entry of the worker: configuration → drivers → activities → Temporal worker. On SIGTERM, it hands over running turns.
import { Client, Connection } from '@temporalio/client';
import packageJson from '../package.json' with { type: 'json' };
import { createAgentActivities } from '../activities/agent.ts';
import type { AgentPorts } from '../activities/ports.ts';
import { createFanoutActivities } from '../activities/fanout/fanout.ts';
import { createFlightActivities } from '../activities/flight/flight.ts';
import { apiAddress } from '../config/api-address.ts';
import { loadConfig } from '../config/config.ts';
import type { Config } from '../config/config.ts';
import { dropCredentials } from '../config/model-credentials.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { sealLivingAgents } from '../agents/seal-living.ts';
import { openPlatform } from '../drivers/platform.ts';
import { endUnowned } from '../agents/sweep/end-unowned.ts';
import { createSweep } from '../agents/sweep/sweep.ts';
import { OWN_MURMUR } from '../drivers/machines/configured.ts';
import { bundledMurmur } from '../drivers/machines/local/murmur.ts';
import { recordedRunner, runnersOf } from '../drivers/machines/runner-process.ts';
import { userCacheFolder } from '../config/home.ts';
import { openTelemetry } from '../drivers/telemetry/open.ts';
import { createAgentControl } from '../agents/control.ts';
import { createAgentStarter } from '../agents/starter.ts';
import { runAgentWorker } from './agent-worker.ts';
import { createLog, installRuntime } from './logging.ts';
import { namespaceIdOf } from '../agents/namespace-id.ts';
import { keepRetention } from './event-retention.ts';
import { runnerBundle } from './runner-bundle.ts';
import { sweepUntil } from './sweeping.ts';
import { workflowBundle } from './workflow-bundle.ts';

const log = createLog();
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    log.info({ signal }, 'stopping: running turns are handed over');
    stop.abort();
  });
}

try {
  const config = await loadConfig(process.env, { cwd: process.cwd() });
  const cache = userCacheFolder(process.env);
  // Runners get the caller's environment without credentials of models.
  dropCredentials(process.env);
  installRuntime(log, config.telemetry);
  await work(config, cache, { ...process.env });
  log.info('stopped');
} catch (error) {
  log.fatal({ err: error }, 'the worker cannot start');
  process.exitCode = 1;
}

async function work(config: Config, cache: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { home, temporal, modelCredentials, taskQueue } = config;
  if (temporal.address === undefined) {
    throw new MurmurError('FAILED_PRECONDITION', 'no Temporal address is known', { hint: 'run `murmur up`' });
  }
  await using telemetry = await openTelemetry(config.telemetry, {
    service: 'murmur-worker',
    version: packageJson.version,
  });
  const bundles = Promise.all([workflowBundle(cache), runnerBundle(cache)]);
  // Awaited below. Meanwhile, isolation is tried out.
  bundles.catch(() => undefined);
  const murmur = bundledMurmur(home, cache).catch((error: unknown) => {
    log.warn({ err: error }, 'murmur cannot be bundled for agents: they run it from the sources, which starts slower');
    return OWN_MURMUR;
  });
  await using platform = await openPlatform(config, env, murmur);
  const [bundle, runner] = await bundles;
  const programs = { bundle: runner };
  const connection = Connection.lazy(temporal.connectionOptions);
  await using _connected = { [Symbol.asyncDispose]: async () => await connection.close() };
  const client = new Client({
    connection,
    namespace: temporal.namespace,
    ...(telemetry === undefined ? {} : { interceptors: { workflow: telemetry.workflowClient } }),
  });
  const ports: AgentPorts = {
    ...platform,
    runners: { find: recordedRunner, ensure: runnersOf(programs) },
    namespaceId: namespaceIdOf(client),
    control: createAgentControl(client),
    credentials: modelCredentials,
    api: () => apiAddress(env, home),
    handover: stop.signal,
    report: (fact, details) => log.warn(details, fact),
  };
  const agent = createAgentActivities(ports);
  void keepRetention(platform.events, {
    days: config.eventDays,
    signal: stop.signal,
    report: ({ cut, error }) => {
      if (error === undefined) log.info({ logs: cut }, 'old events were dropped');
      else log.warn({ err: error }, 'old events could not be dropped');
    },
  });
  const starter = createAgentStarter(client, taskQueue);
  const fanout = createFanoutActivities({ ...platform, starter, handover: stop.signal });
  const flight = createFlightActivities({ ...platform, starter, handover: stop.signal });
  const sweep = createSweep({
    ...ports,
    client,
    providers: Object.values(platform.machines),
    end: async (agent, claim) => void (await endUnowned(ports, agent, claim)),
    now: () => new Date(),
    report: {
      ended: (details) => log.info(details, 'a machine that no agent owned was ended'),
      problem: (details) => log.warn(details, 'the sweep met a problem'),
    },
  });
  let sweeping: Promise<void> | undefined;
  await runAgentWorker({
    connection: temporal.connectionOptions,
    namespace: temporal.namespace,
    taskQueue,
    bundle,
    ...(telemetry === undefined ? {} : { traces: telemetry.worker }),
    prepare: async () => {
      await sealLivingAgents({
        ...platform,
        client,
        folder: home.keys,
        report: (fact, details) => log.info(details, fact),
      });
      // Starts after living agents were sealed, because the sweep depends on the seals, and after Temporal has
      // answered.
      sweeping ??= sweepUntil(stop.signal, sweep);
    },
    activities: { ...agent, ...fanout, ...flight },
    stop: stop.signal,
    report: {
      polling: () => log.info({ taskQueue, address: temporal.address }, 'polling'),
      brokeDown: (error) => log.error({ err: error }, 'Temporal cannot be reached: trying again'),
    },
  });
  await sweeping;
}
