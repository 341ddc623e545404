// Entry of the API server, `node main.ts [descriptor of a listening socket]`: settings → drivers → app → listen. Ends
// on SIGTERM and SIGINT once open calls have ended.
import pino from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import { loadConfig } from '../config/config.ts';
import type { Config } from '../config/config.ts';
import { dropCredentials } from '../config/model-credentials.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { openPlatform } from '../drivers/platform.ts';
import type { Platform } from '../drivers/platform.ts';
import { openTelemetry } from '../drivers/telemetry/open.ts';
import { createAllowances } from './allowances/allowances.ts';
import { createMachineLimitsReader } from './machine-limits.ts';
import { createServer } from './app.ts';
import type { ServerParts } from './parts.ts';
import { createTemporalClient } from './temporal-client.ts';
import { createSigner, removeEarlierKey } from './signer.ts';
import { TIMING } from './timing.ts';
import { createTokens } from './token-file.ts';

const HOST = '127.0.0.1';

const log = pino({ base: { process: 'server' }, timestamp: pino.stdTimeFunctions.isoTime });

try {
  const config = await loadConfig(process.env, { cwd: process.cwd() });
  dropCredentials(process.env);
  const platform = await openPlatform(config, { ...process.env });
  await serve(await partsOf(config, platform), platform, config.ports.api);
} catch (error) {
  log.fatal({ err: error }, 'the API server cannot start');
  // Log lines are written synchronously, so none is lost. The supervisor reads the exit status.
  process.exitCode = 1;
}

async function partsOf(config: Config, platform: Platform): Promise<ServerParts> {
  const { home, temporal } = config;
  if (temporal.address === undefined) {
    throw new MurmurError('FAILED_PRECONDITION', 'no Temporal address is known', { hint: 'run `murmur up`' });
  }
  await removeEarlierKey(platform.secrets);
  const telemetry = await openTelemetry(config.telemetry, { service: 'murmur-server', version: packageJson.version });
  return {
    ...platform,
    temporal: createTemporalClient(temporal.connectionOptions, temporal.namespace, telemetry?.workflowClient),
    taskQueue: config.taskQueue,
    home: home.root,
    tokens: createTokens(home.tokens, platform.tokenStore),
    allowances: createAllowances(config.host.limits, platform.objects),
    machineLimits: createMachineLimitsReader(platform.machines),
    signer: createSigner(platform.key),
    settings: {
      version: packageJson.version,
      temporal: {
        address: temporal.address,
        namespace: temporal.namespace,
        ...(temporal.open === undefined ? {} : { open: temporal.open }),
      },
      // For calls that name no workspace.
      workspace: 'default',
      provider: config.host.environment.provider,
      hosts: config.publicUrl === undefined ? [] : [new URL(config.publicUrl).hostname],
      limits: config.limits,
      agentLimits: config.host.limits,
      ...publicUrlSetting(config),
      uploadLimit: config.uploadLimit,
    },
    timing: TIMING,
    ...(telemetry === undefined ? {} : { telemetry }),
    log,
  };
}

/**
 * Without MURMUR_PUBLIC_URL, people use the listening address. Set explicitly, as agents may reach the server
 * elsewhere.
 */
function publicUrlSetting({ publicUrl, ports }: Config): { readonly publicUrl?: string } {
  if (publicUrl !== undefined) return { publicUrl };
  return ports.api === 0 ? {} : { publicUrl: `http://${HOST}:${String(ports.api)}` };
}

async function serve(parts: ServerParts, platform: Platform, port: number): Promise<void> {
  const app = createServer(parts);
  const [, , descriptor] = process.argv;
  // With a descriptor, host and port are ignored; but without a host, fastify would listen on a second address.
  const url = await app.listen({ host: HOST, ...(descriptor === undefined ? { port } : { fd: Number(descriptor) }) });
  log.info({ url }, 'listening');
  const stop = (signal: NodeJS.Signals): void => {
    log.info({ signal }, 'stopping');
    // The connection to Temporal keeps the process alive, and closing it would fail calls in progress. All calls that
    // matter have ended, so the process exits.
    const end = async (): Promise<void> => {
      await app.close();
      await parts.telemetry?.[Symbol.asyncDispose]();
      await platform[Symbol.asyncDispose]();
    };
    end().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}
