// The activity inputs of earlier builds, taken from the kept histories: a replay compares commands but not their
// inputs.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Kept histories, with a folder per build. */
const HISTORIES = join(import.meta.dirname, 'histories');

export interface KeptInput {
  readonly activity: string;
  /** Path of its history below the folder of kept histories. */
  readonly file: string;
  readonly input: unknown;
}

interface ScheduledEvent {
  readonly activityTaskScheduledEventAttributes?: {
    readonly activityType: { readonly name: string };
    readonly input?: { readonly payloads: readonly { readonly data: string }[] };
  };
}

/** Builds with kept histories. */
export function keptBuilds(): readonly string[] {
  const entries = readdirSync(HISTORIES, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** One input of each shape that the build passed to an activity. */
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

/** Field names and value types: inputs that differ only in their texts have the same shape. */
function shapeOf(value: unknown): string {
  if (Array.isArray(value)) return `[${[...new Set(value.map(shapeOf))].toSorted().join()}]`;
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  const fields = Object.entries(value).map(([name, inner]) => `${name}:${shapeOf(inner)}`);
  return `{${fields.toSorted().join()}}`;
}
