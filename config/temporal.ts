// How to reach Temporal: any cluster by the usual settings, or else the embedded stack.
import type { ClientConnectConfig } from '@temporalio/envconfig';
import { MurmurError } from '../contract/wire/errors.ts';
import type { Environment } from './environment.ts';
import { textOf } from './environment.ts';
import type { HomePaths } from './home.ts';
import { readStackFile } from './stack-file.ts';

export interface TemporalSettings {
  /** Whether the cluster is somebody else's: then `murmur up` starts none. */
  readonly external: boolean;
  /** `host:port`; undefined when the embedded stack was never started. */
  readonly address: string | undefined;
  readonly namespace: string;
  /** For `Connection.connect` and `NativeConnection.connect`, with address, TLS and API key. */
  readonly connectionOptions: ClientConnectConfig['connectionOptions'];
}

/** One of these decides that a cluster is meant: a namespace or key alone is often left in a shell by other projects. */
const DECIDING = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'] as const;

/** Whether the environment names a cluster. */
function namesCluster(env: Environment): boolean {
  return DECIDING.some((name) => textOf(env, name) !== undefined);
}

/** Throws INVALID_ARGUMENT with the reason when the settings of a cluster cannot be read. */
export async function temporalSettings(env: Environment, home: HomePaths): Promise<TemporalSettings> {
  if (namesCluster(env)) return clusterSettings(env);
  const stack = readStackFile(home);
  const address = stack?.temporal.address;
  return {
    external: false,
    address,
    namespace: stack?.temporal.namespace ?? 'default',
    connectionOptions: address === undefined ? {} : { address },
  };
}

async function clusterSettings(env: Environment): Promise<TemporalSettings> {
  const { loadClientConnectConfig } = await import('@temporalio/envconfig');
  const variables = Object.entries(env).filter((each): each is [string, string] => each[1] !== undefined);
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig({
      overrideEnvVars: Object.fromEntries(variables),
    });
    const address = connectionOptions.address ?? 'localhost:7233';
    return { external: true, address, namespace: namespace ?? 'default', connectionOptions };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MurmurError('INVALID_ARGUMENT', `the Temporal connection settings cannot be read: ${reason}`, {
      hint: `correct ${DECIDING.join(', ')} and the files they name`,
      cause: error,
    });
  }
}
