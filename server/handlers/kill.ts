// Cancels an agent and waits until nothing of it is left.
import type { AgentResult, ReceiptLine } from '../../contract/wire/agent.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { isNotFound, notFound } from '../agents/absence.ts';
import { parseWorkflowId } from '../../contract/wire/identity.ts';
import { addressOf, addressOfIdentity } from '../agents/address.ts';
import type { AgentAddress } from '../agents/address.ts';
import { cleanUp, receiptOf } from '../agents/clean-up.ts';
import { describeExecution } from '../agents/execution.ts';
import { mapLimited } from '../agents/map-limited.ts';
import { livingBeneath } from '../agents/tree.ts';
import { signalAgent } from '../agents/messages.ts';
import { queryAgent } from '../agents/query.ts';
import { readRecord } from '../agents/record.ts';
import { inTime, workflowOf } from '../agents/temporal.ts';
import { dropBeneath, dropWaiting } from '../fanouts/drop.ts';
import type { ServerParts } from '../parts.ts';
import type { Answer, Call, Handler } from './handler.ts';

/** Agents that are ended at once: each is one call to Temporal that waits. */
const SWEEPERS = 50;

export const kill: Handler<'kill'> = async (parts, input, call) => {
  const agent = addressOf(parts, call, input);
  // Beside the agent's own end: what it still has to start must not be started by then.
  const [own, dropped] = await Promise.all([killOne(parts, agent, call), dropBeneath(parts, agent, call)]);
  const unstarted = await mapLimited(dropped, SWEEPERS, async (each) => await receiptOfEnded(parts, each));
  const known = [...own, ...unstarted.flat()];
  return answerOf(input.slug === '' ? 'self' : input.slug, [...known, ...(await sweep(parts, agent, call, known))]);
};

async function killOne(parts: ServerParts, agent: AgentAddress, call: Call): Promise<readonly ReceiptLine[]> {
  try {
    await signalAgent(parts, agent, 'kill', { id: call.id, from: call.from });
  } catch (error) {
    if (!(error instanceof MurmurError) || error.code !== 'FAILED_PRECONDITION') throw error;
    // It waits for a slot; when it gets one at this very moment, it is an agent like any other.
    if (error.details?.['phase'] === 'starting' && (await dropWaiting(parts, agent, call)) === 'started') {
      return await killOne(parts, agent, call);
    }
    return await receiptOfEnded(parts, agent);
  }
  return await awaitEnd(parts, agent, call);
}

/**
 * Ends what still lives beneath: an agent takes its children with it, but one that ended before, or could not answer, has
 * left them behind.
 */
async function sweep(
  parts: ServerParts,
  agent: AgentAddress,
  call: Call,
  known: readonly ReceiptLine[],
): Promise<readonly ReceiptLine[]> {
  const ended = new Set(known.map(({ path }) => path));
  const left = (await livingBeneath(parts, agent.identity))
    .map(parseWorkflowId)
    .filter((identity) => identity !== undefined)
    .map((identity) => addressOfIdentity(identity))
    .filter(({ path }) => !ended.has(path));
  const lines = await mapLimited(left, SWEEPERS, async (each) => await killOne(parts, each, call));
  // An agent beneath another one that is swept up stands in both receipts.
  return [...new Map(lines.flat().map((line) => [line.path, line])).values()].filter(({ path }) => !ended.has(path));
}

/** The end of an agent that was told to end; what does not end in time is terminated and cleaned up after. */
async function awaitEnd(parts: ServerParts, agent: AgentAddress, call: Call): Promise<readonly ReceiptLine[]> {
  const { killBound, killProbe, killUnanswered } = parts.timing;
  const began = performance.now();
  let answered = began;
  for (;;) {
    const result = await resultWithin(parts, agent, killProbe);
    if (result === 'closed') return await receiptOfEnded(parts, agent);
    if (result !== 'open') return result.receipt;
    // The caller has gone, or comes back to another server: the signal is given, and nobody waits here.
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
      return await terminate(parts, agent);
    }
  }
}

/** The workflow's result, or that it is still open, or that it ended without one. */
async function resultWithin(
  parts: ServerParts,
  agent: AgentAddress,
  ms: number,
): Promise<AgentResult | 'open' | 'closed'> {
  try {
    return await inTime(parts, async () => (await workflowOf(parts, agent).result()) as AgentResult, ms);
  } catch {
    const execution = await describeExecution(parts, agent);
    return execution?.closed === false ? 'open' : 'closed';
  }
}

async function terminate(parts: ServerParts, agent: AgentAddress): Promise<readonly ReceiptLine[]> {
  try {
    await inTime(parts, () => workflowOf(parts, agent).terminate('killed; no worker ended it in time'));
  } catch (error) {
    // It ended by itself in this very moment.
    if (!isNotFound(error)) throw error;
  }
  return await receiptOfEnded(parts, agent);
}

/** The receipt of an agent that has ended, whether it could leave one or not. */
async function receiptOfEnded(parts: ServerParts, agent: AgentAddress): Promise<readonly ReceiptLine[]> {
  const result = await resultWithin(parts, agent, parts.timing.killProbe);
  if (typeof result === 'object') return result.receipt;
  const record = await readRecord(parts, agent.id);
  if (record !== undefined) return [receiptOf(record)];
  const execution = await describeExecution(parts, agent);
  if (execution === undefined) throw notFound(agent);
  return [receiptOf(await cleanUp(parts, agent, execution))];
}

function answerOf(slug: string, receipt: readonly ReceiptLine[]): Answer<'kill'> {
  const cost = receipt.reduce((sum, line) => sum + line.cost_usd, 0);
  return { slug, message: `killed ${slug}`, receipt, cost_usd: cost };
}
