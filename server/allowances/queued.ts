// Limits the bytes that one sender may have queued at one agent. Only the agent's workflow knows its queue. The server
// queries it only when the bytes sent since the last query may have reached the limit, so most messages need no query.
import { MurmurError } from '../../contract/wire/errors.ts';
import type { WaitingBytes } from '../../contract/wire/messages.ts';
import type { AgentAddress } from '../../agents/names.ts';
import type { QueryReply } from '../../agents/messages.ts';
import type { Sender } from './rate.ts';

const MIB = 1_048_576;

/** All agents together may have this many times as much queued: a whole team may report to its lead at once. */
const AGENTS_FACTOR = 4;

/** Agents in memory. Beyond it, the least recently used one is forgotten and queried again when needed. */
const REMEMBERED = 10_000;

/** Sender → upper bound of its queued bytes, as far as this server has seen. */
type Waiting = Map<string, number>;

export class QueueAllowance {
  readonly #limit: number;
  readonly #agents = new Map<string, Waiting>();

  constructor(limitMb: number) {
    this.#limit = limitMb * MIB;
  }

  /**
   * Counts a message of this many bytes. Throws RESOURCE_EXHAUSTED when this sender, or all agents together, would have
   * too much queued.
   * @param ask queries the agent for its queued bytes
   */
  async take(
    agent: AgentAddress,
    call: Sender,
    bytes: number,
    ask: () => Promise<QueryReply<readonly WaitingBytes[]>>,
  ): Promise<void> {
    if (!this.#fits(agent, call, bytes)) await this.#learn(agent, ask);
    if (!this.#fits(agent, call, bytes)) throw this.#refusal(agent, call, bytes);
    const waiting = this.#waiting(agent);
    waiting.set(call.from, (waiting.get(call.from) ?? 0) + bytes);
    this.#remember(agent, waiting);
  }

  #fits(agent: AgentAddress, { caller, from }: Sender, bytes: number): boolean {
    const waiting = this.#waiting(agent);
    if ((waiting.get(from) ?? 0) + bytes > this.#limit) return false;
    return caller.agent === undefined || sum(waiting) + bytes <= this.#limit * AGENTS_FACTOR;
  }

  async #learn(agent: AgentAddress, ask: () => Promise<QueryReply<readonly WaitingBytes[]>>): Promise<void> {
    const before = new Map(this.#waiting(agent));
    const reply = await ask();
    // Without an answer the known bytes count: an agent that does not answer does not read its queue.
    if (reply.kind === 'silent' || reply.kind === 'refused') return;
    const waiting: Waiting = new Map();
    if (reply.kind === 'answer') for (const { from, bytes } of reply.answer) waiting.set(from, bytes);
    // The answer may lack messages that were sent during the query.
    for (const [from, bytes] of this.#waiting(agent)) {
      const since = bytes - (before.get(from) ?? 0);
      if (since > 0) waiting.set(from, (waiting.get(from) ?? 0) + since);
    }
    this.#remember(agent, waiting);
  }

  #refusal({ path }: AgentAddress, { from }: Pick<Sender, 'from'>, bytes: number): MurmurError {
    const known = this.#agents.get(path) ?? new Map<string, number>();
    const own = known.get(from) ?? 0;
    const isOwnLimit = own + bytes > this.#limit;
    const [who, waiting, limit, of] = isOwnLimit
      ? [`${from} has`, own, this.#limit, '']
      : ['all senders together have', sum(known), this.#limit * AGENTS_FACTOR, `${String(AGENTS_FACTOR)} times `];
    const message = `${who} ${mebibytes(waiting)} MiB queued at ${path} (limit ${mebibytes(limit)} MiB, ${of}\`queued_mb\` in murmur.yaml); ${mebibytes(bytes)} MiB more exceeds it`;
    return new MurmurError('RESOURCE_EXHAUSTED', message, {
      hint: 'wait until it has read them, or put large texts into a file and name the file; the owner of the host sets limits.queued_mb',
      details: { limit_bytes: limit, waiting_bytes: waiting },
    });
  }

  #waiting({ path }: AgentAddress): Waiting {
    return this.#agents.get(path) ?? new Map<string, number>();
  }

  #remember({ path }: AgentAddress, waiting: Waiting): void {
    this.#agents.delete(path);
    this.#agents.set(path, waiting);
    const [oldest] = this.#agents.keys();
    if (this.#agents.size > REMEMBERED && oldest !== undefined) this.#agents.delete(oldest);
  }
}

function sum(waiting: Waiting): number {
  return [...waiting.values()].reduce((total, bytes) => total + bytes, 0);
}

function mebibytes(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}
