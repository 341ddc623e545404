// What is shown on stderr while an operation is waited for.
import { oneLine } from '../output/sanitize.ts';

/** Said at once, so that waiting never looks like a hang. */
export function waitingLine(command: string, input: Readonly<Record<string, unknown>>): string {
  const slug = String(input['slug'] ?? '');
  if (command === 'wait') {
    const phase = input['phase'] === undefined ? 'needs attention' : `is ${String(input['phase'])}`;
    return `waiting until ${slug} ${phase} …`;
  }
  return `${command} ${slug} …`;
}

/** One progress event in one line. */
export function progressLine(progress: unknown): string {
  const { phase, progress: doing, note } = progress as { phase?: string; progress?: string; note?: string };
  return [phase, doing, note]
    .filter((part) => part !== undefined)
    .map((part) => oneLine(part, 100))
    .join('  ');
}
