// Takes the samples of a measure, floor and product alternately. Imports measure, statistics, bounded and the
// laboratory's type.
import { bounded } from './bounded.ts';
import type { Laboratory } from './laboratory/laboratory.ts';
import type { Measure, Trial } from './measure.ts';
import { summarise, type Summary } from './statistics.ts';
import { slowerAtMost } from './target.ts';

export interface Taken {
  readonly floor: Summary;
  /** Absent if only floors are measured; `met` then has no meaning. */
  readonly ours?: Summary;
  readonly target: string;
  readonly met: boolean;
  readonly notes: readonly string[];
}

export interface SamplingOptions {
  /** Number of pairs that count. */
  readonly pairs: number;
  readonly floorsOnly: boolean;
  /** Called for each pair that counts, from 1. */
  readonly onPair?: (pair: number) => void;
}

/** Limit of set-up and of clean-up, which take some tens of seconds on a busy machine. In milliseconds. */
const SET_UP_MS = 90_000;

/**
 * Takes samples in pairs. The sides take turns being first, so that other load on the machine affects both equally.
 * Throws if a sample cannot be taken. The measure's processes are always ended.
 */
export async function take(measure: Measure, laboratory: Laboratory, options: SamplingOptions): Promise<Taken> {
  const trial = await bounded(measure.open(laboratory), SET_UP_MS, 'setting up');
  try {
    const { floor, ours } = await samplePairs(measure, trial, options);
    const summary = { floor: summarise(floor), ...(options.floorsOnly ? {} : { ours: summarise(ours) }) };
    const target = trial.target ?? measure.target;
    return {
      ...summary,
      target: target.text,
      met: summary.ours !== undefined && target.met(summary.ours, summary.floor),
      notes: trial.notes?.() ?? [],
    };
  } finally {
    await bounded(trial.close(), SET_UP_MS, 'cleaning up');
  }
}

/** Default target against another build: a change for security may cost five percent of a latency. */
const SLOWER_AT_MOST = 1.05;

/** Like `take`, with the product of another build instead of the floor. */
export async function takeAgainst(
  measure: Measure,
  builds: { readonly now: Laboratory; readonly before: Laboratory },
  options: Omit<SamplingOptions, 'floorsOnly'>,
): Promise<Taken> {
  const trials: Trial[] = [];
  try {
    const now = await bounded(measure.open(builds.now), SET_UP_MS, 'setting up');
    trials.push(now);
    const before = await bounded(measure.open(builds.before), SET_UP_MS, 'setting up the other build');
    trials.push(before);
    const sides = { floor: () => before.ours(), ours: () => now.ours() };
    const { floor, ours } = await samplePairs(measure, sides, { ...options, floorsOnly: false });
    const target = measure.against ?? slowerAtMost(SLOWER_AT_MOST);
    const summary = { floor: summarise(floor), ours: summarise(ours) };
    return { ...summary, target: target.text, met: target.met(summary.ours, summary.floor), notes: [] };
  } finally {
    for (const trial of trials) await bounded(trial.close(), SET_UP_MS, 'cleaning up');
  }
}

async function samplePairs(
  { timeoutMs, warmUps }: Measure,
  trial: Pick<Trial, 'floor' | 'ours'>,
  { pairs, floorsOnly, onPair }: SamplingOptions,
): Promise<{ floor: number[]; ours: number[] }> {
  const sides = {
    floor: { sample: () => bounded(trial.floor(), timeoutMs, 'a floor sample'), taken: [] as number[] },
    ours: { sample: () => bounded(trial.ours(), timeoutMs, 'a sample of ours'), taken: [] as number[] },
  };
  for (let pair = -warmUps; pair < pairs; pair += 1) {
    const order = floorsOnly ? [sides.floor] : pair % 2 === 0 ? [sides.floor, sides.ours] : [sides.ours, sides.floor];
    for (const side of order) {
      const value = await side.sample();
      if (pair >= 0) side.taken.push(value);
    }
    if (pair >= 0) onPair?.(pair + 1);
  }
  return { floor: sides.floor.taken, ours: sides.ours.taken };
}
