// The format of a kept history.
import { historyToJSON, type History } from '@temporalio/common/lib/proto-utils.js';
import { ROOT } from '../../test/fixtures/program-under-test.ts';

/** JSON with one line per event. The path of the checkout, which stack traces contain, is replaced. */
export function linesOf(history: History): string {
  const { events } = JSON.parse(historyToJSON(history)) as { readonly events: readonly object[] };
  return withoutPaths(`{"events":[\n${events.map((event) => JSON.stringify(event)).join(',\n')}\n]}\n`);
}

/** The text with the path of the checkout replaced. */
export function withoutPaths(text: string): string {
  return text.replaceAll(ROOT, '/opt/murmur');
}
