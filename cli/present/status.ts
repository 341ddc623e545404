// Prints an agent's state for people: `name: value` lines, without those that have no value.
import type { Operations } from '../../contract/operations/index.ts';
import type { OutputOf } from '../../contract/operation.ts';
import { oneLine } from '../output/sanitize.ts';
import { lifecycleText } from './events.ts';
import { keyValues } from './table.ts';
import { ago, money, stamp } from './time.ts';

export type Status = OutputOf<Operations['status']>;

const HEAD = 200;

/** The block that `status` and `wait` print. */
export function statusText(status: Status, now: number): string {
  const timeline = status.timeline?.map((entry) => `${stamp(entry.at)}  ${lifecycleText(entry)}`);
  const block = keyValues([
    ['workflow', status.workflow],
    ['phase', status.phase],
    // The reason is shown once, with `parked`.
    ['reason', status.parked?.reason === status.reason ? undefined : status.reason],
    ['parked', parkedText(status)],
    ['note', status.stale],
    ['purpose', status.purpose],
    ['model', status.model],
    ['vm', vmText(status)],
    ['temporal', openText(status)],
    ['limits', limitsText(status)],
    ['progress', progressText(status, now)],
    ['working on', head(status.working_on)],
    ['queued', status.queued.map((text) => oneLine(text, HEAD)).join('\n')],
    ['tasks', status.tasks.total === 0 ? undefined : tasksText(status.tasks)],
    ['response', status.response],
    ['branches', status.branches.map(branchText).join('\n')],
    ['commits', status.commits === 0 ? undefined : status.commits.toString()],
    ['pr', status.prs.join('\n')],
    ['cost', money(status.cost.total_usd)],
    ['children', status.children?.map(childText).join('\n')],
    ['budget', status.budget === undefined ? undefined : budgetText(status.budget)],
    ['saved', status.saved_turn === undefined ? undefined : `up to turn ${status.saved_turn.toString()}`],
    ['undelivered', status.undelivered?.map((text) => oneLine(text, HEAD)).join('\n')],
  ]);
  if (timeline === undefined) return block;
  return `${block}\n\n${timeline.length === 0 ? 'no timeline entries' : timeline.join('\n')}`;
}

/** `[tool] Bash(npm test) (4s ago)` */
export function progressText(
  of: { readonly progress?: string | undefined; readonly progress_at?: string | undefined },
  now: number,
): string | undefined {
  if (of.progress === undefined) return undefined;
  const text = oneLine(of.progress, 100);
  return of.progress_at === undefined ? text : `${text} (${ago(of.progress_at, now)})`;
}

/** `$1.20 of $5.00 used, $2.00 granted to its children` */
export function budgetText(budget: NonNullable<Status['budget']>): string {
  const { limit_usd: limit, allowance_usd: allowance, used_usd: used, granted_usd: granted } = budget;
  const whole = [
    ...(limit === undefined ? ['used'] : [`of ${money(limit)} used`]),
    ...(allowance === undefined ? [] : [`allowance ${money(allowance) || '$0.00'}`]),
  ];
  const children = granted > 0 ? [`${money(granted)} held by its children`] : [];
  return `${money(used) || '$0.00'} ${[...whole, ...children].join(', ')}`;
}

function vmText({ vm }: Status): string | undefined {
  return vm === undefined ? undefined : `${vm.name} (${vm.provider}, ${vm.isolation}) [${vm.state}]`;
}

function openText({ temporal_open: reason }: Status): string | undefined {
  return reason === undefined
    ? undefined
    : `open: agents and every other process of the host can use it without credentials (${reason})`;
}

/** `512 processes, 4096 MiB memory, …` */
function limitsText({ limits }: Status): string | undefined {
  if (limits === undefined) return undefined;
  const { disk_mb, memory_mb, messages_per_second: messages, processes, queued_mb, shm_mb, uploads_mb } = limits;
  const amount = (value: number | undefined, what: string): readonly string[] =>
    value === undefined ? [] : [`${value.toString()} ${what}`];
  return [
    ...amount(processes, 'processes'),
    ...amount(memory_mb, 'MiB memory'),
    ...amount(shm_mb, 'MiB /dev/shm'),
    ...amount(disk_mb, 'MiB disk'),
    ...amount(uploads_mb, 'MiB uploads'),
    ...amount(messages, 'messages/s'),
    ...amount(queued_mb, 'MiB queued'),
  ].join(', ');
}

function parkedText({ parked }: Status): string | undefined {
  if (parked === undefined) return undefined;
  return parked.retry_at === undefined ? parked.reason : `${parked.reason}; next try at ${stamp(parked.retry_at)}`;
}

function tasksText(tasks: Status['tasks']): string {
  return `${tasks.open.toString()} open of ${tasks.total.toString()}`;
}

function branchText(branch: Status['branches'][number]): string {
  const dirty = branch.dirty_files === 0 ? '' : `, ${branch.dirty_files.toString()} uncommitted`;
  return `${branch.branch} at ${branch.head.slice(0, 8)} (${branch.pushed ? 'pushed' : 'not pushed'}${dirty})`;
}

/** `fix-auth [idle] $0.12  Done: the tests pass.` */
function childText({ cost_usd, phase, reason, response, slug }: NonNullable<Status['children']>[number]): string {
  const said = response ?? reason;
  const words = [`${slug} [${phase}]`, money(cost_usd), said === undefined ? '' : ` ${oneLine(said, 100)}`];
  return words.filter((word) => word !== '').join(' ');
}

function head(text: string | undefined): string | undefined {
  return text === undefined ? undefined : oneLine(text, HEAD);
}
