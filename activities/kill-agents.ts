// Everything beneath an agent that is killed: told at once, ended together. One activity for the whole of it, as one for
// each agent would cost Temporal more than the ends themselves.
import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import pLimit from 'p-limit';
import type { LimitFunction } from 'p-limit';
import type { EndAgentInput, EndAgentResult, KillAgentsInput, KillAgentsResult } from '../contract/wire/activities.ts';
import type { AgentRemains, AgentResult, DoomedAgent, ReceiptLine } from '../contract/wire/agent.ts';
import { ERRORS, MurmurError } from '../contract/wire/errors.ts';
import type { KillOrder } from '../contract/wire/messages.ts';
import { tokenId } from '../agents/names.ts';
import { callingWorkflow } from './admission.ts';
import { attentively } from './attention.ts';
import type { Attention } from './attention.ts';
import type { AgentPorts } from './ports.ts';

/** A turn that is cut off ends within half a minute, and so does the making of a machine; the rest is for a busy host. */
const WORKFLOW_END_MS = 120_000;
/** Machines that are ended at once: enough to keep disk and processors busy. Each holds some files open. */
const ENDS_AT_ONCE = 50;
/** What does not end within so many attempts, or fails for good, is named in the receipt. */
const ATTEMPTS = 3;
const RETRY_MS = 1_000;

type KillPorts = Pick<AgentPorts, 'control' | 'tokenStore' | 'handover'>;

/** What ends an agent whose workflow, which is named by its id, has ended; idempotent. */
type EndAgent = (input: EndAgentInput, agent: string) => Promise<EndAgentResult>;

interface Undertaking {
  readonly ports: KillPorts;
  readonly endAgent: EndAgent;
  readonly order: KillOrder;
  /** How agents have been ended, by their ids. It travels with the heartbeats, so that the next attempt ends the others. */
  readonly done: Record<string, EndAgentResult>;
  /** Aborts when this attempt must be left to the next. */
  readonly signal: AbortSignal;
  readonly limit: LimitFunction;
}

/** An agent and everything beneath it, killed. */
interface Killed {
  readonly agent: string;
  /** Undefined for one that did not answer in time. */
  readonly result: Pick<AgentResult, 'phase' | 'total_usd'> | undefined;
  readonly receipt: readonly ReceiptLine[];
  readonly unanswered: readonly string[];
}

/**
 * `killAgents`: idempotent, as each agent knows the order by its id, and an end can be done twice. Throws PERMISSION_DENIED
 * for an agent that is not beneath the one that kills.
 */
export function killAgents(
  ports: KillPorts,
  endAgent: EndAgent,
  { agents, order }: KillAgentsInput,
): Promise<KillAgentsResult> {
  const done = endedBefore();
  const kill = async ({ signal }: Attention): Promise<KillAgentsResult> => {
    requireBeneath(callingWorkflow(), agents);
    const undertaking = { ports, endAgent, order, done, signal, limit: pLimit(ENDS_AT_ONCE) };
    const killed = await killAll(undertaking, agents);
    signal.throwIfAborted();
    return {
      receipt: killed.flatMap(({ receipt }) => receipt),
      ended: killed.flatMap(({ agent, result }) => (result === undefined ? [] : [{ agent, ...result }])),
      unanswered: killed.flatMap(({ unanswered }) => unanswered),
    };
  };
  return attentively(ports.handover, kill, { details: () => done });
}

/** What the attempt before has ended; earlier builds sent no details. */
function endedBefore(): Record<string, EndAgentResult> {
  const details = Context.current().info.heartbeatDetails as Readonly<Record<string, EndAgentResult>> | undefined;
  return { ...details };
}

/**
 * Tells all before it asks any: Temporal answers a question for the result with every event that is not yet the last, and the
 * workflows that were told first have ended by then.
 */
async function killAll(undertaking: Undertaking, agents: readonly DoomedAgent[]): Promise<readonly Killed[]> {
  const { ports, order } = undertaking;
  await Promise.all(
    agents.map(async ({ agent, spawn_id }) => {
      // Before its workflow closes: from then on nobody may act for it, also when this worker dies here.
      await ports.tokenStore.delete(tokenId(agent, spawn_id));
      // It may have ended in the meantime: its result is asked for all the same.
      await ports.control.signal(agent, 'kill', order);
    }),
  );
  return await Promise.all(agents.map(({ agent }) => awaitEnd(undertaking, agent)));
}

/** An order comes from a history, and who is to be killed from the results of workflows. */
function requireBeneath(agent: string, agents: readonly DoomedAgent[]): void {
  const other = agents.find((each) => !each.agent.startsWith(`${agent}/`));
  if (other === undefined) return;
  throw new MurmurError(
    'PERMISSION_DENIED',
    `${other.agent} is not beneath ${agent}: only what is beneath it ends with it`,
  );
}

async function awaitEnd(undertaking: Undertaking, agent: string): Promise<Killed> {
  const { ports, signal } = undertaking;
  const patience = AbortSignal.any([signal, AbortSignal.timeout(WORKFLOW_END_MS)]);
  const result = await ports.control.result(agent, patience);
  signal.throwIfAborted();
  if (result === undefined) return { agent, result, receipt: [], unanswered: [agent] };
  const { phase, total_usd, receipt, left } = result;
  if (left === undefined) return { agent, result: { phase, total_usd }, receipt, unanswered: [] };
  requireBeneath(agent, left.children);
  const [end, beneath] = await Promise.all([
    undertaking.limit(() => endPatiently(undertaking, agent, left)),
    killAll(undertaking, left.children),
  ]);
  return {
    agent,
    result: { phase, total_usd: total_usd + unheardCost(left.children, beneath) },
    receipt: [...receipt.map((line) => ({ ...line, ...end })), ...beneath.flatMap((each) => each.receipt)],
    unanswered: beneath.flatMap((each) => each.unanswered),
  };
}

/** A machine that cannot be ended must not keep the others alive. */
async function endPatiently(
  { endAgent, done, signal }: Undertaking,
  agent: string,
  remains: AgentRemains,
): Promise<EndAgentResult> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return (done[agent] ??= await endAgent(remains, agent));
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      const isFinal = error instanceof MurmurError && !ERRORS[error.code].retryable;
      if (attempt === ATTEMPTS || isFinal) return { machine_state: `not destroyed: ${problem}` };
      await delay(attempt * RETRY_MS, undefined, { signal });
    }
  }
}

/** What those beneath have cost that their parent had not heard of when it ended. */
function unheardCost(known: readonly DoomedAgent[], killed: readonly Killed[]): number {
  return killed.reduce((sum, { result }, index) => {
    const heard = known[index]?.cost_usd ?? 0;
    return sum + (result === undefined ? 0 : result.total_usd - heard);
  }, 0);
}
