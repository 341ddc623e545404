// The agent's state as HTML. All values are foreign text, which `html` escapes.
import type { TimelineEntry } from '../../contract/wire/agent.ts';
import type { Task } from '../../contract/wire/tasks.ts';
import type { FullStatus } from '../../agents/status.ts';
import { html, link } from './html.ts';
import type { Html, Part } from './html.ts';

/** The part of the page above the session. `base` is the path of the page. */
export function stateView(status: FullStatus, tasks: readonly Task[], base: string): Html {
  return html`<main id="state">
    <h1>${status.slug} <span class="phase">${status.phase}</span></h1>
    <dl>${facts(status)}</dl>
    ${section('Checklist', tasks.map(taskLine))} ${section('Children', childLines(status, base))}
    ${section(
      'Pull requests',
      status.prs.map((url) => html`<li>${link(url)}</li>`),
    )}
    ${section('Uploads', uploadLines(status.timeline ?? []))}
    ${section('Timeline (UTC)', (status.timeline ?? []).toReversed().map(timelineLine))}
  </main>`;
}

function facts(status: FullStatus): readonly Html[] {
  const { branches, cost, parked, queued } = status;
  return [
    fact('for', status.purpose),
    fact('why', parked?.reason ?? status.reason),
    fact('next try', parked?.retry_at),
    fact('note', status.stale),
    fact('working on', status.working_on),
    fact('doing', status.progress),
    fact('answer', status.response),
    fact('waiting', queued.length === 0 ? undefined : queued.join('\n')),
    fact('branches', branches.length === 0 ? undefined : branches.map(({ branch }) => branch).join('\n')),
    fact(
      'cost',
      `$${cost.total_usd.toFixed(2)}${cost.children_usd > 0 ? ` ($${cost.own_usd.toFixed(2)} its own)` : ''}`,
    ),
    fact('machine', status.vm === undefined ? undefined : `${status.vm.name} (${status.vm.state})`),
    fact('path', status.path),
  ];
}

function fact(name: string, value: Part): Html {
  return value === undefined || value === ''
    ? html``
    : html`<dt>${name}</dt>
        <dd>${value}</dd>`;
}

function section(title: string, lines: readonly Html[]): Html {
  return lines.length === 0
    ? html``
    : html`<h2>${title}</h2>
        <ul>
          ${lines}
        </ul>`;
}

const MARKS = { pending: '○', in_progress: '◐', done: '●', skipped: '–', deleted: '' } as const;

function taskLine({ subject, status, dormant }: Task): Html {
  return html`<li title="${status}">${MARKS[status]} ${subject}${dormant ? ' (dormant)' : ''}</li>`;
}

function childLines({ children = [] }: FullStatus, base: string): readonly Html[] {
  return children.map(
    ({ slug, phase, cost_usd: cost, response }) =>
      html`<li>
        <a href="${base}/${slug}">${slug}</a> <span class="phase">${phase}</span> $${cost.toFixed(2)} ${response}
      </li>`,
  );
}

function uploadLines(timeline: readonly TimelineEntry[]): readonly Html[] {
  return timeline
    .filter((entry) => entry.type === 'upload')
    .map(({ url, filename, bytes }) => html`<li>${link(url, filename)} (${bytes} bytes)</li>`);
}

/** A timeline entry, with time and originator. */
function timelineLine(entry: TimelineEntry): Html {
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
