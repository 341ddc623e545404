// Cancels an agent and waits until everything of it has ended.
import pLimit from 'p-limit';
import type { AgentResult, PendingCleanup, ReceiptLine } from '../../contract/wire/agent.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { describeExecution, listBeneath, notFound } from '../../agents/find.ts';
import { parseWorkflowId } from '../../contract/wire/identity.ts';
import { addressOf } from '../address.ts';
import { addressOfIdentity } from '../../agents/names.ts';
import type { AgentAddress } from '../../agents/names.ts';
import { awaitRecord, receiptOf } from '../../agents/end.ts';
import { endWithoutWorker } from '../../agents/end-without-worker.ts';
import { queryAgent, signalAgent } from '../../agents/messages.ts';
import { readRecord } from '../../agents/record.ts';
import { inTime, isNotFound, workflowOf } from '../../agents/temporal.ts';
import { dropBeneath, dropWaiting } from '../../agents/fanouts/drop.ts';
import type { ServerParts } from '../parts.ts';
import type { Answer, Call, Handler } from '../handler.ts';

/** Agents that are ended concurrently. Each is one waiting call to Temporal. */
const CONCURRENT_ENDS = 50;

/** How a killed agent ended. */
interface Ending {
  readonly receipt: readonly ReceiptLine[];
  /** Whether its workflow ended everything itself, including all known descendants. */
  readonly whole: boolean;
}

export const kill: Handler<'kill'> = async (parts, input, call) => {
  const agent = addressOf(parts, call, input);
  const began = new Date();
  // Concurrently with the agent's own end, so that none of its waiting agents is started meanwhile.
  const [own, dropped] = await Promise.all([killOne(parts, agent, call), dropBeneath(parts, agent, call)]);
  const unstarted = await pLimit(CONCURRENT_ENDS).map(dropped, async (each) => await endingOf(parts, each, call));
  const known = [...own.receipt, ...unstarted.flatMap(({ receipt }) => receipt)];
  const swept = await endDescendants(parts, agent, call, known, { began, all: !own.whole });
  return answerOf(input.slug === '' ? 'self' : input.slug, [...known, ...swept]);
};

async function killOne(parts: ServerParts, agent: AgentAddress, call: Call): Promise<Ending> {
  try {
    await signalAgent(parts, agent, 'kill', { id: call.id, from: call.from });
  } catch (error) {
    if (!(error instanceof MurmurError) || error.code !== 'FAILED_PRECONDITION') throw error;
    // The agent waits for a slot. If it gets one just now, it is killed like any other agent.
    if (error.details?.['phase'] === 'starting' && (await dropWaiting(parts, agent, call)) === 'started') {
      return await killOne(parts, agent, call);
    }
    return await endingOf(parts, agent, call);
  }
  return await awaitEnd(parts, agent, call);
}

/**
 * Ends remaining descendants. An agent ends its children, but not if it ended earlier or could not answer. Descendants
 * that have ended may still have their machine.
 * @param scope when the kill began, and whether to include agents that ended before
 */
async function endDescendants(
  parts: ServerParts,
  agent: AgentAddress,
  call: Call,
  known: readonly ReceiptLine[],
  { began, all }: { readonly began: Date; readonly all: boolean },
): Promise<readonly ReceiptLine[]> {
  const listed = new Set(known.map(({ path }) => path));
  const beneath = await listBeneath(parts, agent.identity, all ? new Date(0) : began);
  const endings = await pLimit(CONCURRENT_ENDS).map(
    beneath,
    async ({ id, closedAt }): Promise<readonly ReceiptLine[]> => {
      const identity = parseWorkflowId(id);
      const each = identity === undefined ? undefined : addressOfIdentity(identity);
      if (each === undefined || listed.has(each.path)) return [];
      // The agent ended before the kill and was cleaned up.
      if (closedAt !== undefined && closedAt < began && (await readRecord(parts, each.id)) !== undefined) return [];
      return (await killOne(parts, each, call)).receipt;
    },
  );
  // An agent below another one that was ended here is in both receipts.
  const lines = new Map(endings.flat().map((line) => [line.path, line]));
  return [...lines.values()].filter(({ path }) => !listed.has(path));
}

/** Waits for the end of a cancelled agent. After the time limit, terminates its workflow and cleans up. */
async function awaitEnd(parts: ServerParts, agent: AgentAddress, call: Call): Promise<Ending> {
  const { killBound, killProbe, killUnanswered } = parts.timing;
  const began = performance.now();
  let answered = began;
  for (;;) {
    const result = await resultWithin(parts, agent, killProbe, call.signal);
    if (result !== 'open') return await endingOf(parts, agent, call, result);
    // The signal was sent. After the caller has disconnected, waiting is pointless.
    call.signal.throwIfAborted();
    const reply = await queryAgent(parts, agent, 'status', {});
    const now = performance.now();
    if (reply.kind === 'answer') {
      answered = now;
      call.progress({ phase: reply.answer.phase, note: 'waiting for the last snapshot' });
    } else {
      call.progress({ phase: 'running', note: 'no worker answers' });
    }
    if (now - answered > killUnanswered || now - began > killBound) {
      return await terminate(parts, agent, call);
    }
  }
}

/** The workflow's result; or that it is still open, or ended without a result. The signal ends the wait early. */
async function resultWithin(
  parts: ServerParts,
  agent: AgentAddress,
  ms: number,
  signal: AbortSignal,
): Promise<AgentResult | 'open' | 'closed'> {
  const ask = async (): Promise<AgentResult> => (await workflowOf(parts, agent).result()) as AgentResult;
  try {
    return await inTime(parts, () => parts.temporal.withAbortSignal(signal, ask), ms);
  } catch {
    const execution = await describeExecution(parts, agent);
    return execution?.closed === false ? 'open' : 'closed';
  }
}

async function terminate(parts: ServerParts, agent: AgentAddress, call: Call): Promise<Ending> {
  try {
    await inTime(parts, () => workflowOf(parts, agent).terminate('killed; no worker ended it in time'));
  } catch (error) {
    // The workflow has just ended by itself.
    if (!isNotFound(error)) throw error;
  }
  return await endingOf(parts, agent, call);
}

/** The ending of an agent that has ended, even if it could not answer. */
async function endingOf(
  parts: ServerParts,
  agent: AgentAddress,
  call: Call,
  known?: AgentResult | 'closed',
): Promise<Ending> {
  const result = known ?? (await resultWithin(parts, agent, parts.timing.killProbe, call.signal));
  const left = typeof result === 'object' ? result.left : undefined;
  if (typeof result === 'object' && left === undefined) return { receipt: result.receipt, whole: true };
  const written = left === undefined ? readRecord(parts, agent.id) : awaitRecord(parts, agent, call.signal);
  const record = await written;
  const line = record === undefined ? await cleanUpEnded(parts, agent, call, left) : receiptOf(record);
  return { receipt: [line], whole: false };
}

async function cleanUpEnded(
  parts: ServerParts,
  agent: AgentAddress,
  call: Call,
  left: PendingCleanup | undefined,
): Promise<ReceiptLine> {
  call.signal.throwIfAborted();
  const execution = await describeExecution(parts, agent);
  if (execution === undefined) throw notFound(agent);
  return await endWithoutWorker(parts, agent, execution, call.from, left);
}

function answerOf(slug: string, receipt: readonly ReceiptLine[]): Answer<'kill'> {
  const cost = receipt.reduce((sum, line) => sum + line.cost_usd, 0);
  return { slug, message: `killed ${slug}`, receipt, cost_usd: cost };
}
