// Kills all descendants of an agent: signals them at once and ends them together. One activity for all of them, because
// one per agent would cost Temporal more than the ends themselves.
import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import pLimit from 'p-limit';
import type { LimitFunction } from 'p-limit';
import type { EndAgentInput, EndAgentResult, KillAgentsInput, KillAgentsResult } from '../contract/wire/activities.ts';
import type { AgentResult, KillTarget, PendingCleanup, ReceiptLine } from '../contract/wire/agent.ts';
import { ERRORS, MurmurError } from '../contract/wire/errors.ts';
import type { KillOrder } from '../contract/wire/messages.ts';
import { tokenId } from '../agents/names.ts';
import { callingWorkflow } from './admission.ts';
import { withHeartbeat } from './activity-scope.ts';
import type { ActivityScope } from './activity-scope.ts';
import type { AgentPorts } from './ports.ts';

/**
 * An interrupted turn ends within half a minute, and so does a cancelled creation of a machine; the rest is for a busy
 * host.
 */
const WORKFLOW_END_MS = 120_000;
/** Machines that are ended concurrently: enough to keep disk and processors busy. Each holds some files open. */
const ENDS_AT_ONCE = 50;
/** Attempts per machine. The receipt names a machine that did not end. */
const ATTEMPTS = 3;
const RETRY_MS = 1_000;

type KillPorts = Pick<AgentPorts, 'control' | 'tokenStore' | 'handover'>;

/** Ends an agent whose workflow, given by its id, has completed. Idempotent. */
type EndAgent = (input: EndAgentInput, agent: string) => Promise<EndAgentResult>;

/** What one attempt of `killAgents` works with. */
interface KillContext {
  readonly ports: KillPorts;
  readonly endAgent: EndAgent;
  readonly order: KillOrder;
  /**
   * Results of ended agents by workflow id. They travel with the heartbeats, so that the next attempt only ends the
   * others.
   */
  readonly done: Record<string, EndAgentResult>;
  /** Aborts when this attempt must hand over to the next one. */
  readonly signal: AbortSignal;
  readonly limit: LimitFunction;
}

/** The outcome of the kill of an agent and its descendants. */
interface KillOutcome {
  readonly agent: string;
  /** Undefined for an agent that did not answer in time. */
  readonly result: Pick<AgentResult, 'phase' | 'total_usd'> | undefined;
  readonly receipt: readonly ReceiptLine[];
  readonly unanswered: readonly string[];
}

/**
 * `killAgents`: idempotent, because each agent recognises the kill by its id and ending twice is harmless. Throws
 * PERMISSION_DENIED for an agent that is not a descendant of the killer.
 */
export function killAgents(
  ports: KillPorts,
  endAgent: EndAgent,
  { agents, order }: KillAgentsInput,
): Promise<KillAgentsResult> {
  const done = endedBefore();
  const kill = async ({ signal }: ActivityScope): Promise<KillAgentsResult> => {
    requireBeneath(callingWorkflow(), agents);
    const context = { ports, endAgent, order, done, signal, limit: pLimit(ENDS_AT_ONCE) };
    const killed = await killAll(context, agents);
    signal.throwIfAborted();
    return {
      receipt: killed.flatMap(({ receipt }) => receipt),
      ended: killed.flatMap(({ agent, result }) => (result === undefined ? [] : [{ agent, ...result }])),
      unanswered: killed.flatMap(({ unanswered }) => unanswered),
    };
  };
  return withHeartbeat(ports.handover, kill, { details: () => done });
}

/** Agents that the previous attempt ended; earlier builds sent no heartbeat details. */
function endedBefore(): Record<string, EndAgentResult> {
  const details = Context.current().info.heartbeatDetails as Readonly<Record<string, EndAgentResult>> | undefined;
  return { ...details };
}

/**
 * Signals all agents before it awaits any result. A poll for a result returns at every event before the last one. With
 * this order, the first workflows have completed before they are polled.
 */
async function killAll(context: KillContext, agents: readonly KillTarget[]): Promise<readonly KillOutcome[]> {
  const { ports, order } = context;
  await Promise.all(
    agents.map(async ({ agent, spawn_id }) => {
      // Before its workflow closes, so that its token is invalid from then on, even if this worker dies here.
      await ports.tokenStore.delete(tokenId(agent, spawn_id));
      // It may have ended in the meantime; its result is still read.
      await ports.control.signal(agent, 'kill', { ...order, spawn_id });
    }),
  );
  return await Promise.all(agents.map(({ agent }) => awaitEnd(context, agent)));
}

/** The input comes from a history and the targets from workflow results, so both are checked. */
function requireBeneath(agent: string, agents: readonly KillTarget[]): void {
  const other = agents.find((each) => !each.agent.startsWith(`${agent}/`));
  if (other === undefined) return;
  throw new MurmurError(
    'PERMISSION_DENIED',
    `${other.agent} is not beneath ${agent}: only what is beneath it ends with it`,
  );
}

async function awaitEnd(context: KillContext, agent: string): Promise<KillOutcome> {
  const { ports, signal } = context;
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(WORKFLOW_END_MS)]);
  const result = await ports.control.result(agent, deadline);
  signal.throwIfAborted();
  if (result === undefined) return { agent, result, receipt: [], unanswered: [agent] };
  const { phase, total_usd, receipt, left } = result;
  if (left === undefined) return { agent, result: { phase, total_usd }, receipt, unanswered: [] };
  requireBeneath(agent, left.children);
  const [end, beneath] = await Promise.all([
    context.limit(() => endWithRetry(context, agent, left)),
    killAll(context, left.children),
  ]);
  return {
    agent,
    result: { phase, total_usd: total_usd + unreportedCost(left.children, beneath) },
    receipt: [...receipt.map((line) => ({ ...line, ...end })), ...beneath.flatMap((each) => each.receipt)],
    unanswered: beneath.flatMap((each) => each.unanswered),
  };
}

/** Retries the end of one agent. A machine that cannot be ended must not block the others. */
async function endWithRetry(
  { endAgent, done, signal }: KillContext,
  agent: string,
  cleanup: PendingCleanup,
): Promise<EndAgentResult> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return (done[agent] ??= await endAgent(cleanup, agent));
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      const isFinal = error instanceof MurmurError && !ERRORS[error.code].retryable;
      if (attempt === ATTEMPTS || isFinal) return { machine_state: `not destroyed: ${problem}` };
      await delay(attempt * RETRY_MS, undefined, { signal });
    }
  }
}

/** The part of the descendants' cost that their parent had not yet received when it ended. */
function unreportedCost(known: readonly KillTarget[], killed: readonly KillOutcome[]): number {
  return killed.reduce((sum, { result }, index) => {
    const reported = known[index]?.cost_usd ?? 0;
    return sum + (result === undefined ? 0 : result.total_usd - reported);
  }, 0);
}
