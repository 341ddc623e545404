// Starts an agent: stores what it needs, then starts its workflow, or asks its parent's workflow to start it. Deletes
// what was stored for an agent that was not started.
import { setTimeout as delay } from 'node:timers/promises';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { AgentSpec } from '../contract/wire/agent.ts';
import {
  agentMemo,
  agentSearchAttributes,
  agentSummary,
  reusePolicyOf,
  WORKFLOW_TASK_TIMEOUT,
} from '../contract/wire/execution.ts';
import { parentOf, workflowIdOf } from '../contract/wire/identity.ts';
import { AGENT_WORKFLOW } from '../contract/wire/messages.ts';
import type { AgentMemo } from '../contract/wire/messages.ts';
import { AGENT_TOKEN } from '../contract/wire/tokens.ts';
import type { SecretStore } from '../drivers/secrets/secret-store.ts';
import type { TokenStore } from '../drivers/tokens/token-store.ts';
import { mintToken } from '../drivers/tokens/token.ts';
import { dropSeal, sealSpec, withSeal } from './sealed.ts';
import type { SealStores } from './sealed.ts';
import { executeUpdate } from './temporal.ts';
import { dropText } from './texts.ts';

/** Access to Temporal for a start. */
export interface StartSite {
  readonly client: Client;
  /** Task queue of root agents. */
  readonly taskQueue: string;
  /** Limits the time of one call. `update` marks a call that a worker must answer. */
  readonly inTime: <T>(act: () => Promise<T>, call?: 'update') => Promise<T>;
}

/** Why an agent was not started. */
export interface NotStarted {
  /** The SDK's error, or that of `inTime`. */
  readonly cause: unknown;
  /** The workflow that has the agent's id instead. */
  readonly other: WorkflowExecutionDescription | undefined;
}

/**
 * Starts a root's workflow, or asks the parent to start the child, so that the parent always knows it. Returns
 * undefined once Temporal has the agent, including after an earlier attempt of this spawn. Throws if Temporal does not
 * say whether it has the agent: it may have been started then.
 */
export async function startAgent(site: StartSite, spec: AgentSpec): Promise<NotStarted | undefined> {
  const { client, taskQueue, inTime } = site;
  const parent = parentOf(spec.identity);
  try {
    if (parent === undefined) {
      await inTime(() => startRootAgent(client, taskQueue, spec));
      return undefined;
    }
    const handle = client.workflow.getHandle(workflowIdOf(parent));
    await inTime(() => executeUpdate(handle, 'spawnChild', { args: [{ spec }], updateId: spec.spawn_id }), 'update');
    await inTime(() => untilStarted(client, spec));
    return undefined;
  } catch (cause) {
    // The answer may have been lost.
    const other = await inTime(() => describeWorkflow(client, workflowIdOf(spec.identity)));
    return (other?.memo as Partial<AgentMemo> | undefined)?.spawn_id === spec.spawn_id ? undefined : { cause, other };
  }
}

/**
 * Starts the workflow of a root agent. Throws the SDK's errors; WorkflowExecutionAlreadyStartedError for an id that is
 * or was in use.
 */
export async function startRootAgent(client: Client, taskQueue: string, spec: AgentSpec): Promise<void> {
  await client.workflow.start(AGENT_WORKFLOW, {
    workflowId: workflowIdOf(spec.identity),
    taskQueue,
    args: [spec],
    workflowIdReusePolicy: reusePolicyOf(spec),
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
    memo: { ...agentMemo(spec) },
    typedSearchAttributes: new TypedSearchAttributes(agentSearchAttributes(spec)),
    staticSummary: agentSummary(spec),
  });
}

/** Temporal starts a child within some ten milliseconds of the parent's command; on a busy machine within seconds. */
const FIRST_LOOK_MS = 10;
const LAST_LOOK_MS = 200;

/**
 * Resolves when Temporal has the child's workflow for this spawn, which the parent was asked to start. Polls until the
 * caller's deadline ends it. Throws the SDK's errors; WorkflowExecutionAlreadyStartedError for an id that is or was in
 * use.
 */
export async function untilStarted(client: Client, { identity, spawn_id }: AgentSpec): Promise<void> {
  const id = workflowIdOf(identity);
  for (let pause = FIRST_LOOK_MS; ; pause = Math.min(pause * 2, LAST_LOOK_MS)) {
    const known = await describeWorkflow(client, id);
    if ((known?.memo as Partial<AgentMemo> | undefined)?.spawn_id === spawn_id) return;
    if (known !== undefined) throw new WorkflowExecutionAlreadyStartedError('the id is in use', id, AGENT_WORKFLOW);
    await delay(pause);
  }
}

/** Undefined if Temporal does not know the workflow. */
export async function describeWorkflow(client: Client, id: string): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await client.workflow.getHandle(id).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/**
 * Stores token, secrets and seal of an agent. Returns the spec to start it with: that of the first attempt. Idempotent
 * per spawn. It throws only after all writes have settled, so that `discardSpawn` finds everything.
 */
export async function prepareSpawn(
  stores: CredentialStores & SealStores,
  spec: AgentSpec,
  given: Parameters<typeof storeCredentials>[2],
): Promise<AgentSpec> {
  const [sealed, stored] = await Promise.allSettled([
    sealSpec(stores, withSeal(spec)),
    storeCredentials(stores, spec, given),
  ]);
  if (sealed.status === 'rejected') throw sealed.reason;
  if (stored.status === 'rejected') throw stored.reason;
  return sealed.value;
}

/** Deletes token, secrets, seal, texts and the flight's plan of an agent that was not started. */
export async function discardSpawn(stores: CredentialStores & SealStores, spec: AgentSpec): Promise<void> {
  await dropCredentials(stores, spec);
  await dropSeal(stores, spec);
  await dropText(stores.objects, spec.prompt);
  // The agents of a fan-out share this text.
  if (spec.slot === undefined) await dropText(stores.objects, spec.append_system_prompt);
  if (spec.flight !== undefined) await stores.objects.delete(spec.flight.key);
}

/** The stores of credentials. */
export interface CredentialStores {
  readonly secrets: SecretStore;
  readonly tokenStore: TokenStore;
}

/** Creates the agent's token and stores it with its secrets. Idempotent per spawn. */
export async function storeCredentials(
  { secrets, tokenStore }: CredentialStores,
  spec: AgentSpec,
  given: { readonly secrets: Readonly<Record<string, string>>; readonly rights?: 'owner' | undefined },
): Promise<void> {
  if (spec.secrets === undefined || spec.token_id === undefined) return;
  // A repeated spawn must not replace the token of an agent that already uses it.
  const stored = await secrets.get(spec.secrets.ref);
  if (stored[AGENT_TOKEN] !== undefined && (await tokenStore.get(spec.token_id)) !== undefined) return;
  const token = await mintToken(tokenStore, {
    id: spec.token_id,
    account: spec.identity.account,
    agent: workflowIdOf(spec.identity),
    ...(given.rights === undefined ? {} : { rights: given.rights }),
    created_at: spec.created_at,
  });
  await secrets.put(spec.secrets.ref, { ...given.secrets, [AGENT_TOKEN]: token });
}

/** Deletes token and secrets of an agent that was not started. */
export async function dropCredentials({ secrets, tokenStore }: CredentialStores, spec: AgentSpec): Promise<void> {
  if (spec.token_id !== undefined) await tokenStore.delete(spec.token_id);
  if (spec.secrets !== undefined) await secrets.delete(spec.secrets.ref);
}
