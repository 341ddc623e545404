// What is shown on stderr while an operation is waited for.
import { oneLine } from '../output/sanitize.ts';

/** Said at once, so that waiting never looks like a hang. */
export function waitingLine(command: string, input: Readonly<Record<string, unknown>>): string {
  const { slug = 'self', ...more } = input as { readonly slug?: string; readonly phase?: string };
  const { mode, phase, slugs } = more as typeof more & { readonly mode?: string; readonly slugs?: readonly string[] };
  if (command !== 'wait') return `${command} ${slug} …`;
  if (slugs !== undefined) {
    const some = mode === 'any' ? 'any' : 'all';
    const wanted = phase === undefined ? 'need attention' : some === 'any' ? `is ${phase}` : `are ${phase}`;
    return `waiting until ${some} of ${slugs.join(', ')} ${wanted} …`;
  }
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
