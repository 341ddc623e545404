// Assessments: a separate session judges whether a task is done. Loaded by the workflow sandbox.
import type { Cost } from './turns.ts';

export const COMPLETION_CHECKS = ['none', 'assessor'] as const;
export type CompletionCheck = (typeof COMPLETION_CHECKS)[number];

/** Assessments of one task. After three that found something missing, a person has to look. */
export const ASSESSMENT_LIMIT = 3;

/** The answer of an assessor. */
export interface AssessorVerdict {
  readonly done: boolean;
  /** One sentence. */
  readonly reason: string;
  /** What is left to do; empty if the task is done. */
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

/** Reads a verdict and shortens long texts. Undefined if it is invalid or contradicts itself. */
export function readVerdict(value: unknown): AssessorVerdict | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { done, reason, missing } = value as Readonly<Record<string, unknown>>;
  if (typeof done !== 'boolean' || typeof reason !== 'string' || !isTexts(missing)) return undefined;
  const items = missing.map((item) => item.trim().slice(0, CHARACTERS)).filter((item) => item !== '');
  if (done && items.length > 0) return undefined;
  const short = reason.trim().slice(0, CHARACTERS);
  // Without a list, the reason says what is missing.
  if (!done && items.length === 0) return short === '' ? undefined : { done, reason: short, missing: [short] };
  return { done, reason: short, missing: items.slice(0, ITEMS) };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** `POST /assess`: asks a session without write tools. Idempotent by id. Answers when the assessment has ended. */
export interface AssessRequest {
  readonly assess_id: string;
  /** Task, checklist and last answer as text. The runner appends the changes. */
  readonly prompt: string;
}

/** With `not_assessed` there is no verdict, and `problem` is the reason. */
export interface AssessReply {
  readonly status: 'assessed' | 'not_assessed' | 'interrupted';
  readonly verdict?: AssessorVerdict;
  readonly problem?: string;
  readonly cost: Cost;
}
