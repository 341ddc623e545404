// A measure: Murmur and a bare program do the same, and are sampled alternately. Types only.
import type { Laboratory } from './laboratory/laboratory.ts';
import type { Target } from './target.ts';

export type Unit = 'ms' | 'events' | 'agents/s' | 'calls/s' | 'MB';

export interface Measure {
  /** Name for `--only`. */
  readonly name: string;
  /** Title of the row. */
  readonly title: string;
  readonly unit: Unit;
  readonly samples: { readonly full: number; readonly quick: number };
  /** Pairs that are discarded first: they fill page caches, compile caches and Temporal's caches. */
  readonly warmUps: number;
  readonly target: Target;
  /** Target against another build; by default at most five percent slower. */
  readonly against?: Target;
  /** Milliseconds that one sample, of either side, may take. */
  readonly timeoutMs: number;
  /** Why it cannot be taken on this machine; undefined where it can. Absent where it always can. */
  why?(): Promise<string | undefined>;
  open(laboratory: Laboratory): Promise<Trial>;
}

/** A measure that is set up. Each call takes one sample in the measure's unit, or throws. */
export interface Trial {
  floor(): Promise<number>;
  ours(): Promise<number>;
  /** Replaces the measure's target, if it depends on a value that the trial reads. */
  readonly target?: Target;
  /** Notes for the table: counts, settings, losses. */
  notes?(): readonly string[];
  /** Ends the processes that `open` started. */
  close(): Promise<void>;
}
