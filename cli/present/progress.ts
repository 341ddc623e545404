// What is shown on stderr while an operation is waited for.
import { oneLine } from '../output/sanitize.ts';

/** Said at once, so that waiting never looks like a hang. */
export function waitingLine(command: string, input: Readonly<Record<string, unknown>>): string {
  const { slug = 'self', phase } = input as { readonly slug?: string; readonly phase?: string };
  if (command !== 'wait') return `${command} ${slug} …`;
  return `waiting until ${slug} ${phase === undefined ? 'needs attention' : `is ${phase}`} …`;
}

/** One progress event in one line. */
export function progressLine(progress: unknown): string {
  const { phase, progress: doing, note } = progress as { phase?: string; progress?: string; note?: string };
  return [phase, doing, note]
    .filter((part) => part !== undefined)
    .map((part) => oneLine(part, 100))
    .join('  ');
}
