// What a measure has to reach. Imports statistics only.
import type { Summary } from './statistics.ts';

export interface Target {
  /** As the table prints it. */
  readonly text: string;
  /** `floor` is absent for a measure that has none. */
  met(ours: Summary, floor: Summary | undefined): boolean;
}

/** The median is at most so many times the floor's. */
export function ratioAtMost(limit: number): Target {
  return {
    text: `≤ ${limit.toString()} × floor`,
    met: (ours, floor) => floor !== undefined && ours.p50 <= limit * floor.p50,
  };
}

/** The median is at most so many times that of the other build: 1.05 is five percent slower. */
export function slowerAtMost(limit: number): Target {
  return { ...ratioAtMost(limit), text: `≤ ${limit.toString()} × before` };
}

/** The median is at least so many times that of the other build: for rates. */
export function rateAtLeast(limit: number): Target {
  return { ...ratioAtLeast(limit), text: `≥ ${limit.toString()} × before` };
}

/** The median is at least so many times the floor's: for rates. */
export function ratioAtLeast(limit: number): Target {
  return {
    text: `≥ ${limit.toString()} × floor`,
    met: (ours, floor) => floor !== undefined && ours.p50 >= limit * floor.p50,
  };
}

/** The p95 exceeds the floor's median by at most so much: the floor's own scatter counts against us. */
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
