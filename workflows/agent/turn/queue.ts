// Messages that wait for a turn of the agent. Pure: contract/wire only.
import type { DequeueStrategy } from '../../../contract/wire/agent.ts';
import type { WaitingBytes } from '../../../contract/wire/messages.ts';
import type { FollowUp } from '../../../contract/wire/turns.ts';
import type { AgentState } from '../state.ts';
import { head } from '../timeline.ts';

/** How many queued follow-ups one turn takes. */
export const BATCH: Readonly<Record<DequeueStrategy, number>> = { all: Infinity, one: 1, five: 5 };

type Inbox = Pick<AgentState, 'due' | 'sends' | 'queue' | 'strategy'>;

/** Whether a message from a person, a program or another agent waits for a turn. */
export function hasMessages(inbox: Inbox): boolean {
  return inbox.sends.length > 0 || inbox.queue.length > 0;
}

/** Whether any input waits for a turn, including Murmur's own notes. */
export function hasInput(inbox: Inbox): boolean {
  return inbox.due.length > 0 || hasMessages(inbox);
}

/**
 * Takes the inputs of the next turn; empty if there are none. Murmur's own notes come first, together with what follows
 * them. The prompt and the inputs of a lost turn form a turn of their own, and so does each sent message.
 */
export function takeInputs(inbox: Inbox): FollowUp[] {
  const due = inbox.due.splice(0);
  if (due.some((input) => input.kind !== 'system')) return due;
  const sent = inbox.sends.shift();
  if (sent !== undefined) return [...due, sent];
  return [...due, ...inbox.queue.splice(0, BATCH[inbox.strategy])];
}

/** Removes queued follow-ups and returns how many. Sent messages, child events and Murmur's own notes stay. */
export function clearQueue(inbox: Pick<Inbox, 'queue'>): number {
  const before = inbox.queue.length;
  inbox.queue = inbox.queue.filter((message) => message.kind === 'child');
  return before - inbox.queue.length;
}

/** The first words of each waiting message, in the order of delivery. */
export function waitingHeads(inbox: Inbox): string[] {
  return [...inbox.due.filter((input) => input.kind !== 'system'), ...inbox.sends, ...inbox.queue].map(messageHead);
}

/**
 * Bytes of the waiting messages by sender, counted as the server counts them. A stored text of unknown length counts
 * with its inline part.
 */
export function waitingBytes({
  due,
  notices,
  queue,
  sends,
}: Pick<AgentState, 'due' | 'notices' | 'queue' | 'sends'>): readonly WaitingBytes[] {
  const senders = new Map<string, number>();
  for (const { from, tasks = [], text } of [...due, ...sends, ...queue, ...notices]) {
    const listed = tasks.reduce((sum, task) => sum + utf8Bytes(task), 0);
    senders.set(from, (senders.get(from) ?? 0) + (text.bytes ?? utf8Bytes(text.text)) + listed);
  }
  return [...senders].map(([from, bytes]) => ({ from, bytes }));
}

function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** The first words of a message, on one line. */
export function messageHead(message: Pick<FollowUp, 'text'>): string {
  // Enough to recognise a message in `status`; a few hundred must fit into the carried state and a record.
  return head(message.text.text.replaceAll(/\s+/g, ' ').trim(), 120);
}
