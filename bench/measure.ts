// What a measure is: two ways to the same end, ours and the bare one, sampled in turn. Types only.
import type { Laboratory } from './laboratory/laboratory.ts';
import type { Target } from './target.ts';

export type Unit = 'ms' | 'events' | 'agents/s' | 'calls/s' | 'MB';

export interface Measure {
  /** For `--only`. */
  readonly name: string;
  /** The row's title. */
  readonly title: string;
  readonly unit: Unit;
  readonly samples: { readonly full: number; readonly quick: number };
  /** Pairs that are thrown away first: they fill page caches, compile caches and Temporal's own. */
  readonly warmUps: number;
  readonly target: Target;
  /** What is asked of it beside another build; five percent more than before when absent. */
  readonly against?: Target;
  /** Milliseconds that one sample, of either side, may take. */
  readonly timeoutMs: number;
  open(laboratory: Laboratory): Promise<Trial>;
}

/** One measure set up. Each call takes one sample in the measure's unit, or throws. */
export interface Trial {
  floor(): Promise<number>;
  ours(): Promise<number>;
  /** Replaces the measure's target, when it hangs on something that the trial read. */
  readonly target?: Target;
  /** What the table should say beside the figures: counts, settings read, losses. */
  notes?(): readonly string[];
  /** Ends what `open` started. */
  close(): Promise<void>;
}
