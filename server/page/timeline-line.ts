// One entry of the timeline, in words.
import type { TimelineEntry } from '../../contract/wire/agent.ts';
import { html, link } from './html.ts';
import type { Html } from './html.ts';

/** What happened, with when and by whom. */
export function timelineLine(entry: TimelineEntry): Html {
  const by = entry.by === undefined ? undefined : html` <small>by ${entry.by}</small>`;
  return html`<li><time>${entry.at.slice(0, 19).replace('T', ' ')}</time>${whatOf(entry)}${by}</li>`;
}

function whatOf(entry: TimelineEntry): Html {
  switch (entry.type) {
    case 'phase':
      return html`${entry.phase}${entry.reason === undefined ? '' : `: ${entry.reason}`}`;
    case 'taskComplete':
      return html`turn ${entry.turn} done: ${entry.response}`;
    case 'followUp':
      return html`${entry.how} from ${entry.from}: ${entry.text}`;
    case 'commit':
      return html`commit ${entry.sha.slice(0, 8)} on ${entry.branch}: ${entry.subject}`;
    case 'push':
      return html`push of ${entry.branch} at ${entry.sha.slice(0, 8)}`;
    case 'child':
      return html`child ${entry.slug} is ${entry.phase}${entry.reason === undefined ? '' : `: ${entry.reason}`}`;
    case 'upload':
      return html`upload ${link(entry.url, entry.filename)}`;
    case 'note':
      return html`${entry.text}`;
    default:
      return html`${(entry as { readonly type: string }).type}`;
  }
}
