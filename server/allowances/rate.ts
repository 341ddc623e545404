// Limits how often one caller may send something to one agent.
import { MurmurError } from '../../contract/wire/errors.ts';
import type { Caller } from '../../contract/wire/rights.ts';

/** The caller that sends, and its name. */
export interface Sender {
  readonly caller: Caller;
  /** Account, or absolute path of an agent. */
  readonly from: string;
}

/** Burst, in seconds of the rate: a team's lead may message twenty children at once. */
const BURST_SECONDS = 10;

/**
 * Factor for people: they run scripts and loops over their own agents, and only slow down themselves.
 */
const PERSON_FACTOR = 100;

/** Pairs of caller and agent in memory. Beyond it, pairs without recent messages are forgotten. */
const REMEMBERED = 10_000;

export class MessageRates {
  readonly #perSecond: number;
  readonly #now: () => number;
  /** The theoretical arrival time of each pair, in milliseconds: generic cell rate algorithm. */
  readonly #settledAt = new Map<string, number>();

  /** @param now a monotonic clock in milliseconds */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /**
   * Counts one message or control call. Throws RESOURCE_EXHAUSTED, with the time to wait, when the caller has sent too
   * many to this agent.
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
