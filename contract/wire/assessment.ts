// Whether a task is done, as a session of its own judges. Loaded by the workflow sandbox.
import type { Cost } from './turns.ts';

export const COMPLETION_CHECKS = ['none', 'assessor'] as const;
export type CompletionCheck = (typeof COMPLETION_CHECKS)[number];

/** Assessments of one task. After three that found something missing, somebody has to look. */
export const ASSESSMENT_LIMIT = 3;

/** What an assessor answers. */
export interface AssessorVerdict {
  readonly done: boolean;
  /** One sentence. */
  readonly reason: string;
  /** What has still to be done; empty when it is done. */
  readonly missing: readonly string[];
}

/** JSON Schema of a verdict. */
export const VERDICT_SCHEMA = {
  type: 'object',
  properties: {
    done: { type: 'boolean', description: 'Whether everything that the task asks for is done.' },
    reason: { type: 'string', description: 'Why, in one sentence.' },
    missing: {
      type: 'array',
      items: { type: 'string' },
      description: 'What has still to be done, each item as an instruction; empty when it is done.',
    },
  },
  required: ['done', 'reason', 'missing'],
  additionalProperties: false,
} as const;

const ITEMS = 20;
const CHARACTERS = 1_000;

/** Reads a verdict; undefined for what is none, or contradicts itself. Long ones are cut. */
export function readVerdict(value: unknown): AssessorVerdict | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { done, reason, missing } = value as Readonly<Record<string, unknown>>;
  if (typeof done !== 'boolean' || typeof reason !== 'string' || !isTexts(missing)) return undefined;
  const items = missing.map((item) => item.trim().slice(0, CHARACTERS)).filter((item) => item !== '');
  if (done && items.length > 0) return undefined;
  const short = reason.trim().slice(0, CHARACTERS);
  // A refusal without a list still says what is wrong.
  if (!done && items.length === 0) return short === '' ? undefined : { done, reason: short, missing: [short] };
  return { done, reason: short, missing: items.slice(0, ITEMS) };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** `POST /assess`: asks a session without write tools; the same id again is the same assessment. Long. */
export interface AssessRequest {
  readonly assess_id: string;
  /** Task, checklist and last answer in words; the runner adds what has changed. */
  readonly prompt: string;
}

/** `not_assessed`: there is no verdict, and `problem` says why. */
export interface AssessReply {
  readonly status: 'assessed' | 'not_assessed' | 'interrupted';
  readonly verdict?: AssessorVerdict;
  readonly problem?: string;
  readonly cost: Cost;
}
