// A history as a kept file.
import { historyToJSON, type History } from '@temporalio/common/lib/proto-utils.js';
import { ROOT } from '../../test/fixtures/program-under-test.ts';

/** JSON with a line for each event. Where the checkout lies, which stack traces tell, is left out. */
export function linesOf(history: History): string {
  const { events } = JSON.parse(historyToJSON(history)) as { readonly events: readonly object[] };
  return withoutPaths(`{"events":[\n${events.map((event) => JSON.stringify(event)).join(',\n')}\n]}\n`);
}

/** The text without the place of the checkout. */
export function withoutPaths(text: string): string {
  return text.replaceAll(ROOT, '/opt/murmur');
}
