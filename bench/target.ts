// The targets of measures. Imports statistics only.
import type { Summary } from './statistics.ts';

export interface Target {
  /** Text for the table. */
  readonly text: string;
  /** `floor` is absent for a measure without one. */
  met(ours: Summary, floor: Summary | undefined): boolean;
}

/** The median is at most this multiple of the floor's. */
export function ratioAtMost(limit: number): Target {
  return {
    text: `≤ ${limit.toString()} × floor`,
    met: (ours, floor) => floor !== undefined && ours.p50 <= limit * floor.p50,
  };
}

/** The median is at most this multiple of the other build's: 1.05 is five percent slower. */
export function slowerAtMost(limit: number): Target {
  return { ...ratioAtMost(limit), text: `≤ ${limit.toString()} × before` };
}

/** The median is at least this multiple of the other build's. For rates. */
export function rateAtLeast(limit: number): Target {
  return { ...ratioAtLeast(limit), text: `≥ ${limit.toString()} × before` };
}

/** The median is at least this multiple of the floor's. For rates. */
export function ratioAtLeast(limit: number): Target {
  return {
    text: `≥ ${limit.toString()} × floor`,
    met: (ours, floor) => floor !== undefined && ours.p50 >= limit * floor.p50,
  };
}

/** The p95 exceeds the floor's median by at most this. The floor's own scatter counts against the product. */
export function addedAtMost(limit: number, unit: string): Target {
  return {
    text: `≤ ${limit.toString()} ${unit} added, p95`,
    met: (ours, floor) => floor !== undefined && ours.p95 - floor.p50 <= limit,
  };
}

/** No sample exceeds the limit. */
export function everyAtMost(limit: number, unit: string): Target {
  return { text: `≤ ${limit.toString()} ${unit}, all`, met: (ours) => ours.max <= limit };
}
