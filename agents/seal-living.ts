// Seals the agents that an earlier build started, once, at the first start with a key. From then on, an agent without a
// seal was not started by this installation.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isGrpcServiceError, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter, NamespaceNotFoundError } from '@temporalio/common';
import pLimit from 'p-limit';
import writeFileAtomic from 'write-file-atomic';
import type { AgentSpec } from '../contract/wire/agent.ts';
import { workflowIdOf } from '../contract/wire/identity.ts';
import type { TokenStore } from '../drivers/tokens/token-store.ts';
import { tokenId } from './names.ts';
import { checkReferences } from './references.ts';
import { sealSpec } from './sealed.ts';
import type { SealStores } from './sealed.ts';

/** Agents read concurrently from Temporal. */
const READERS = 16;
/** Limit of one call to Temporal, in milliseconds. */
const CALL_MS = 10_000;

export interface FirstStart extends SealStores {
  readonly client: Client;
  readonly tokenStore: TokenStore;
  /** MURMUR_HOME/keys, which has a marker file per key when it is done. */
  readonly folder: string;
  readonly report: (fact: string, details: Readonly<Record<string, unknown>>) => void;
}

/**
 * Seals the living agents at the first start with this key; does nothing at later starts. It seals only agents whose
 * own token is in the token store: only this installation writes there, so access to Temporal is not enough to forge
 * one. An agent that cannot be read is reported and skipped. Throws the SDK's errors if Temporal does not answer; retry
 * it then.
 */
export async function sealLivingAgents(start: FirstStart): Promise<void> {
  const marker = join(start.folder, `agents-sealed-${start.key.id}`);
  if (existsSync(marker)) return;
  const tokens = await start.tokenStore.list();
  const agents = tokens.flatMap(({ id, agent }) => (agent === undefined ? [] : [{ token: id, agent }]));
  const sealed = await pLimit(READERS).map(agents, async (each) => await sealOne(start, each));
  const count = sealed.filter(Boolean).length;
  if (agents.length > 0) start.report('agents of an earlier build were sealed', { sealed: count, of: agents.length });
  await mkdir(start.folder, { recursive: true, mode: 0o700 });
  await writeFileAtomic(marker, `${new Date().toISOString()}\n`, { mode: 0o600 });
}

async function sealOne(
  start: FirstStart,
  { agent, token }: { readonly agent: string; readonly token: string },
): Promise<boolean> {
  let spec: AgentSpec | undefined;
  try {
    spec = await startedWith(start.client, agent);
    // The token is left from an interrupted spawn.
    if (spec === undefined) return false;
    checkReferences(spec);
    if (workflowIdOf(spec.identity) !== agent || tokenId(agent, spec.spawn_id) !== token) {
      throw new Error('its token is that of another spawn');
    }
  } catch (error) {
    if (isOfTemporal(error)) throw error;
    start.report('an agent was not sealed', { agent, error: String(error) });
    return false;
  }
  await sealSpec(start, spec);
  return true;
}

/**
 * The spec in the input of the workflow's latest run; all runs have the same spec. Undefined if Temporal does not know
 * the workflow.
 */
async function startedWith(client: Client, workflowId: string): Promise<AgentSpec | undefined> {
  const { namespace } = client.options;
  try {
    const { runId } = await client.withDeadline(Date.now() + CALL_MS, () =>
      client.workflow.getHandle(workflowId).describe(),
    );
    const { history } = await client.withDeadline(Date.now() + CALL_MS, () =>
      client.workflowService.getWorkflowExecutionHistory({
        namespace,
        execution: { workflowId, runId },
        maximumPageSize: 1,
      }),
    );
    const payload = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
    return payload == null ? undefined : defaultPayloadConverter.fromPayload<AgentSpec>(payload);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/**
 * gRPC's CANCELLED, DEADLINE_EXCEEDED, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAVAILABLE and UNAUTHENTICATED: the
 * connection failed or was refused, so calls for other agents would fail too.
 */
const CONNECTION_CODES: readonly number[] = [1, 4, 7, 8, 14, 16];

/** Whether the error concerns Temporal and not the agent. */
function isOfTemporal(error: unknown): boolean {
  if (error instanceof NamespaceNotFoundError) return true;
  const status = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(status) ? CONNECTION_CODES.includes(Number(status.code)) : error instanceof ServiceError;
}
