// How to reach Temporal: a cluster named by Temporal's usual settings, or else the embedded stack.
import { readFileSync } from 'node:fs';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import type { TemporalTls } from '../contract/stack.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import type { Environment } from './environment.ts';
import { textOf } from './environment.ts';
import type { HomePaths } from './home.ts';
import { readStackFile, type StackFile } from './stack-file.ts';

export interface TemporalSettings {
  /** Whether an external cluster is used. Then `murmur up` does not start Temporal. */
  readonly external: boolean;
  /** `host:port`; undefined when the embedded stack was never started. */
  readonly address: string | undefined;
  readonly namespace: string;
  /** For `Connection.connect` and `NativeConnection.connect`, with address, TLS and API key. */
  readonly connectionOptions: ClientConnectConfig['connectionOptions'];
  /**
   * Why every process of this host, including agents, can use Temporal without credentials. Undefined when none can,
   * and when the embedded Temporal was never started.
   */
  readonly open?: string;
}

/** Each of these selects a cluster. Others do not: shells often have a namespace or key from other projects. */
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
    connectionOptions: address === undefined ? {} : { address, ...tlsOptions(stack?.temporal.tls) },
    ...opennessOf(stack?.temporal),
  };
}

/**
 * The client certificate for the relay of the embedded Temporal. If the files are missing, the relay rejects the
 * client; `murmur up` creates new ones.
 */
function tlsOptions(files: TemporalTls | undefined): ClientConnectConfig['connectionOptions'] {
  if (files === undefined) return {};
  try {
    return {
      tls: {
        serverRootCACertificate: readFileSync(files.ca),
        clientCertPair: { crt: readFileSync(files.certificate), key: readFileSync(files.key) },
        serverNameOverride: files.server_name,
      },
    };
  } catch {
    return {};
  }
}

function opennessOf(temporal: StackFile['temporal'] | undefined): { readonly open?: string } {
  if (temporal === undefined || temporal.tls !== undefined) return {};
  if (temporal.open !== undefined) return { open: temporal.open };
  return temporal.embedded === false ? {} : { open: 'it was started by an earlier version of Murmur' };
}

/** Agents run on this host, so they can use a server on its loopback interface unless it requires certificates. */
function clusterOpenness(address: string, isEncrypted: boolean): { readonly open?: string } {
  const { hostname = '' } = URL.parse(`tcp://${address}`) ?? {};
  if (isEncrypted || !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) return {};
  return { open: `${address} is on this host and asks for no certificate (TLS is off)` };
}

async function clusterSettings(env: Environment): Promise<TemporalSettings> {
  const { loadClientConnectConfig } = await import('@temporalio/envconfig');
  const variables = Object.entries(env).filter((each): each is [string, string] => each[1] !== undefined);
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig({
      overrideEnvVars: Object.fromEntries(variables),
    });
    const address = connectionOptions.address ?? 'localhost:7233';
    const isEncrypted = connectionOptions.tls !== undefined && connectionOptions.tls !== false;
    return {
      external: true,
      address,
      namespace: namespace ?? 'default',
      connectionOptions,
      ...clusterOpenness(address, isEncrypted),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MurmurError('INVALID_ARGUMENT', `the Temporal connection settings cannot be read: ${reason}`, {
      hint: `correct ${DECIDING.join(', ')} and the files they name`,
      cause: error,
    });
  }
}
