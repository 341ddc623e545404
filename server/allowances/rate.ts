// How often one caller may send something to one agent.
import { MurmurError } from '../../contract/wire/errors.ts';
import type { Caller } from '../../contract/wire/rights.ts';

/** Who sends, and how it is named. */
export interface Sender {
  readonly caller: Caller;
  /** Account, or absolute path of an agent. */
  readonly from: string;
}

/** What a caller may send at once, in seconds of its rate: a team's lead tells twenty children something in one breath. */
const BURST_SECONDS = 10;

/**
 * How much more often a person may: people run scripts and loops over their own agents, and slow nobody down but
 * themselves.
 */
const PERSON_FACTOR = 100;

/** Pairs of caller and agent that are remembered before those that have been silent are forgotten. */
const REMEMBERED = 10_000;

export class MessageRates {
  readonly #perSecond: number;
  readonly #now: () => number;
  /** When each pair has made up for all that it has sent, in milliseconds: the generic cell rate algorithm. */
  readonly #settledAt = new Map<string, number>();

  /** @param now a clock in milliseconds that never goes back */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /**
   * Counts one message or order. Throws RESOURCE_EXHAUSTED, with the time after which the next one is taken, when the
   * caller has sent too many to this agent.
   * @param to absolute path of the agent
   */
  take({ caller, from }: Sender, to: string): void {
    const perSecond = caller.agent === undefined ? this.#perSecond * PERSON_FACTOR : this.#perSecond;
    const now = this.#now();
    const key = `${from} ${to}`;
    const settledAt = Math.max(this.#settledAt.get(key) ?? 0, now);
    const waitMs = Math.ceil(settledAt - now - (BURST_SECONDS * 1_000 - 1_000 / perSecond));
    if (waitMs > 0) throw tooMany(from, to, perSecond, waitMs);
    this.#settledAt.set(key, settledAt + 1_000 / perSecond);
    if (this.#settledAt.size > REMEMBERED) this.#forget(now);
  }

  #forget(now: number): void {
    for (const [key, settledAt] of this.#settledAt) if (settledAt <= now) this.#settledAt.delete(key);
  }
}

function tooMany(from: string, to: string, limit: number, waitMs: number): MurmurError {
  const message = `${from} sends more than ${String(limit)} messages a second to ${to}`;
  return new MurmurError('RESOURCE_EXHAUSTED', message, {
    hint: `send it again in ${(waitMs / 1_000).toFixed(1)} s, and put what belongs together into one message; the owner of the host sets limits.messages_per_second`,
    details: { limit, retry_after_ms: waitMs },
  });
}
