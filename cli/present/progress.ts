// Progress lines on stderr while an operation runs.
import { oneLine } from '../output/sanitize.ts';

/** The first line, printed at once, so that the command does not seem to hang. */
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

/** A progress event as one line. */
export function progressLine(progress: unknown): string {
  const { phase, progress: doing, note } = progress as { phase?: string; progress?: string; note?: string };
  // A note names all agents of a wait, or the whole reason of a failed start.
  const shown = [phase, doing === undefined ? undefined : oneLine(doing, 100), note && oneLine(note, 400)];
  return shown.filter((part) => part !== undefined).join('  ');
}
