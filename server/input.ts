// Validates an input. Errors name the field, the value, and the probably intended name.
import type { z } from 'zod';
import type { Operation } from '../contract/operation.ts';
import { quoteValue } from '../contract/schema/quote.ts';
import { unknownField } from '../contract/unknown-field.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { nearestName } from '../contract/wire/nearest.ts';

/** Fields whose values are secret: their names appear in errors, their values do not. */
const SECRET_FIELDS = ['secrets'];

/** The checked input with its defaults. Throws INVALID_ARGUMENT. */
export function parseInput(operation: Operation, body: unknown): Record<string, unknown> {
  const result = operation.input.safeParse(body ?? {}, { reportInput: true });
  if (result.success) return result.data;
  // A misspelt field also causes an error for the missing one. Report the misspelling.
  const { issues } = result.error;
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  if (issue === undefined) throw new MurmurError('INVALID_ARGUMENT', 'the input is not valid');
  throw problemOf(operation, body, issue);
}

type Issue = z.core.$ZodIssue;

function problemOf(operation: Operation, body: unknown, issue: Issue): MurmurError {
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    return unknownField(fieldOf([...issue.path, key]), key, knownFieldsAt(operation, issue.path));
  }
  const field = fieldOf(issue.path);
  const secret = SECRET_FIELDS.some((name) => issue.path[0] === name);
  const value = valueAt(body, issue.path);
  return new MurmurError('INVALID_ARGUMENT', messageOf(issue, field, secret ? undefined : value), {
    hint: hintOf(issue, value),
    details: {
      ...(field === '' ? {} : { field }),
      ...(secret || value === undefined ? {} : { value: quoteValue(value) }),
    },
  });
}

/** The operation's fields, or those of an object inside a list, such as one repository. */
function knownFieldsAt(operation: Operation, path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return Object.keys(operation.input.shape);
  let schema: unknown = operation.input.shape[String(path[0])];
  for (;;) {
    const inner = schema as { def?: { innerType?: unknown; element?: unknown }; shape?: object };
    if (inner.shape !== undefined) return Object.keys(inner.shape);
    const next = inner.def?.innerType ?? inner.def?.element;
    if (next === undefined) return [];
    schema = next;
  }
}

/** The message. Those of the schemas name their field; zod's own do not and are replaced. */
function messageOf(issue: Issue, field: string, value: unknown): string {
  const name = field === '' ? 'the input' : field;
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    if (value === undefined) return `${name} required`;
    return `${name} is ${quoteValue(value)}: it needs ${article(issue.expected)}`;
  }
  if (issue.code === 'invalid_value' && issue.message.startsWith('Invalid')) {
    return `${name} is ${quoteValue(value)}: it needs one of ${issue.values.map(String).join(', ')}`;
  }
  return issue.message.startsWith('Invalid') ? `${name}: ${issue.message}` : issue.message;
}

function hintOf(issue: Issue, value: unknown): string | undefined {
  if (issue.code !== 'invalid_value') return undefined;
  const values = issue.values.map(String);
  const nearest = typeof value === 'string' ? nearestName(value, values) : undefined;
  return nearest === undefined ? `use one of ${values.join(', ')}` : `did you mean ${nearest}?`;
}

function article(expected: string): string {
  return /^[aeiou]/.test(expected) ? `an ${expected}` : `a ${expected}`;
}

/** A path as text, such as `repos[0].clone_url`. */
function fieldOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${String(part)}]` : `${index === 0 ? '' : '.'}${String(part)}`))
    .join('');
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined,
    body,
  );
}
