// What workflows of earlier builds have given to their activities, taken from the kept histories: replay compares the order of
// commands and never what they carry.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Kept histories, each in a folder of its build. */
const HISTORIES = join(import.meta.dirname, 'histories');

export interface KeptInput {
  readonly activity: string;
  /** History that it stands in, from the folder of all. */
  readonly file: string;
  readonly input: unknown;
}

interface ScheduledEvent {
  readonly activityTaskScheduledEventAttributes?: {
    readonly activityType: { readonly name: string };
    readonly input?: { readonly payloads: readonly { readonly data: string }[] };
  };
}

/** Builds that have kept histories. */
export function keptBuilds(): readonly string[] {
  const entries = readdirSync(HISTORIES, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** One input of each shape that an activity was given by that build. */
export function inputsOf(build: string): readonly KeptInput[] {
  const found = new Map<string, KeptInput>();
  for (const file of readdirSync(join(HISTORIES, build))) {
    const { events } = JSON.parse(readFileSync(join(HISTORIES, build, file), 'utf8')) as {
      readonly events: readonly ScheduledEvent[];
    };
    for (const { activityTaskScheduledEventAttributes: scheduled } of events) {
      if (scheduled === undefined) continue;
      const [payload] = scheduled.input?.payloads ?? [];
      const text = Buffer.from(payload?.data ?? '', 'base64').toString('utf8');
      const input: unknown = text === '' ? undefined : JSON.parse(text);
      const activity = scheduled.activityType.name;
      const shape = `${activity} ${shapeOf(input)}`;
      if (!found.has(shape)) found.set(shape, { activity, file: `${build}/${file}`, input });
    }
  }
  return [...found.values()];
}

/** Names of fields and kinds of values, so that inputs that differ in words alone are one. */
function shapeOf(value: unknown): string {
  if (Array.isArray(value)) return `[${[...new Set(value.map(shapeOf))].toSorted().join()}]`;
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  const fields = Object.entries(value).map(([name, inner]) => `${name}:${shapeOf(inner)}`);
  return `{${fields.toSorted().join()}}`;
}
