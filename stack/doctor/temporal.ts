// Checks Temporal: a cluster that answers, a running dev server, or a binary to start.
import type { Config } from '../../config/config.ts';
import type { Check } from './check.ts';
import { lookUpTemporal, programHint } from '../temporal/find.ts';
import { serverVersionProblem } from '../temporal/release.ts';
import { findProgram } from '../../config/programs.ts';
import { runningRecord } from '../record.ts';
import { findNetworkIsolation } from '../network/isolation.ts';

/** A cluster that takes longer to report its version is not usable. */
const ANSWER_MS = 5_000;

/** Also checks whether other processes of the host can use it, as it runs or as `murmur up` would start it. */
export async function temporalChecks(
  config: Config,
  env: NodeJS.ProcessEnv,
  cacheDirs: readonly string[],
): Promise<readonly Check[]> {
  const running = await runningRecord(config.home);
  if (config.temporal.external || running !== undefined) {
    return [await reachable(config), ...openChecks(config.temporal.open, config.temporal.external)];
  }
  const [program, network] = await Promise.all([programCheck(env, cacheDirs), findNetworkIsolation(config.isolation)]);
  return [program, ...openChecks('open' in network ? network.open : undefined, false)];
}

function openChecks(reason: string | undefined, isCluster: boolean): readonly Check[] {
  if (reason === undefined) return [];
  const message = `Temporal is open: agents and every other process of this host can use it without credentials (${reason})`;
  const fix = isCluster
    ? 'give the server TLS with client certificates, and name them in TEMPORAL_TLS_CLIENT_CERT_PATH and the related settings'
    : 'run `murmur down` and `murmur up` where Linux namespaces work and MURMUR_ISOLATION is unset, or use a Temporal cluster with mTLS';
  return [{ name: 'temporal', state: 'warning', message, fix }];
}

async function programCheck(env: NodeJS.ProcessEnv, cacheDirs: readonly string[]): Promise<Check> {
  const { found, rejected } = await lookUpTemporal({ env, cacheDirs });
  if (found !== undefined) {
    return { name: 'temporal', state: 'ok', message: `Temporal server ${found.version} at ${found.path}` };
  }
  const go = findProgram(env, 'go');
  const next = go === undefined ? 'downloads it' : `downloads it, or builds it with ${go} (some minutes, once)`;
  return {
    name: 'temporal',
    state: 'warning',
    message: `no Temporal server found (${rejected.join('; ')}): \`murmur up\` ${next}`,
    fix: programHint(),
  };
}

async function reachable(config: Config): Promise<Check> {
  const { address = '', connectionOptions, namespace } = config.temporal;
  try {
    // Loaded only here: loading the Temporal client takes longer than all other checks.
    const { Connection } = await import('@temporalio/client');
    const connection = await Connection.connect({ ...connectionOptions, connectTimeout: ANSWER_MS });
    try {
      const info = await connection.withDeadline(Date.now() + ANSWER_MS, () =>
        connection.workflowService.getSystemInfo({}),
      );
      const problem = serverVersionProblem(info.serverVersion ?? undefined);
      if (problem === undefined) {
        const version = info.serverVersion ?? '';
        return {
          name: 'temporal',
          state: 'ok',
          message: `Temporal server ${version} at ${address}, namespace ${namespace}`,
        };
      }
      return { name: 'temporal', state: 'warning', message: `${address} ${problem}`, fix: 'use a supported version' };
    } finally {
      await connection.close();
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      name: 'temporal',
      state: 'problem',
      message: `Temporal at ${address} does not answer: ${reason}`,
      fix: 'start it, or correct TEMPORAL_ADDRESS and the related settings',
    };
  }
}
