// Durations as people write them.
import { z } from 'zod';

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A whole number and a unit: `90s`, `15m`, `12h`, `30d`. At most ten years. */
export const duration = z
  .string()
  .regex(/^[1-9]\d{0,8}[smhd]$/, 'a duration is a number and a unit: 90s, 15m, 12h or 30d')
  .refine((text) => durationMs(text) <= 3_650 * UNITS.d, 'a duration is at most ten years');

/** Milliseconds of a checked duration. */
export function durationMs(text: string): number {
  return Number(text.slice(0, -1)) * UNITS[text.slice(-1) as keyof typeof UNITS];
}
