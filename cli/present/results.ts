// Prints answers for people. The compiler requires a presenter for each answer of more than a line.
import type { AnswerOperation, Operations, PrintedOperation } from '../../contract/operations/index.ts';
import type { OutputOf } from '../../contract/operation.ts';
import type { Terminal } from '../output/terminal.ts';
import { flightText } from './flight.ts';
import { presentMachines } from './machines.ts';
import { budgetText, progressText, statusText } from './status.ts';
import { keyValues, table } from './table.ts';
import { money, stamp } from './time.ts';

type Input = Readonly<Record<string, unknown>>;
/** Operations whose answer is more than a line. */
export type PresentedOperation = Exclude<AnswerOperation, PrintedOperation>;
type Presenters = {
  readonly [Name in PresentedOperation]: (result: OutputOf<Operations[Name]>, terminal: Terminal, input: Input) => void;
};

const PRESENTERS: Presenters = {
  spawn(result, terminal) {
    const { slug } = result;
    terminal.line(
      [
        `Spawned: ${slug}`,
        '',
        `  To get the status of the task:    murmur status ${slug}`,
        `  To watch what it does:            murmur session watch ${slug}`,
        `  To kill the task:                 murmur kill ${slug}`,
        `  To send a follow-up:              murmur queue add ${slug} "additional context"`,
      ].join('\n'),
    );
  },
  each(result, terminal) {
    terminal.line(result.slugs.join('\n'));
  },
  ls(agents, terminal, input) {
    if (agents.length === 0) {
      terminal.progress(input['all'] === true ? 'no agents' : 'no living agents (`murmur ls -a` shows ended ones)');
      return;
    }
    const rows = agents.map((agent) => [
      agent.slug,
      agent.phase,
      agent.vm ?? '',
      progressText(agent, Date.now()) ?? '',
      money(agent.cost),
    ]);
    terminal.line(table(['SLUG', 'PHASE', 'VM', 'PROGRESS', 'COST'], rows));
  },
  status(result, terminal) {
    terminal.line(statusText(result, Date.now()));
  },
  wait(result, terminal) {
    const statuses = Array.isArray(result) ? result : [result];
    terminal.line(statuses.map((status) => statusText(status, Date.now())).join('\n\n'));
  },
  turns(turns, terminal) {
    if (turns.length === 0) terminal.progress('no turns yet');
    else terminal.line(turns.map(turnText).join('\n\n'));
  },
  kill(result, terminal) {
    terminal.line(`killed ${result.slug}`);
    const rows = result.receipt.map((line) => [
      line.path,
      line.phase,
      `${line.machine} ${line.machine_state}`,
      line.snapshot === undefined ? 'no snapshot' : 'snapshot kept',
      money(line.cost_usd),
    ]);
    if (rows.length > 0) terminal.line(table(['AGENT', 'PHASE', 'MACHINE', 'STATE', 'COST'], rows));
  },
  budget(result, terminal) {
    terminal.line(`budget of ${result.slug}: ${budgetText(result.budget)}`);
  },
  flight_status(flight, terminal) {
    terminal.line(flightText(flight));
  },
  task_list(tasks, terminal) {
    if (tasks.length === 0) {
      terminal.line('no tasks');
      return;
    }
    const rows = tasks.map((task) => [
      task.id,
      task.subject,
      task.dormant === true ? `${task.status} (dormant)` : task.status,
      (task.blocked_by ?? []).join(','),
    ]);
    terminal.line(table(['ID', 'SUBJECT', 'STATUS', 'BLOCKED_BY'], rows));
  },
  task_get(task, terminal) {
    terminal.line(
      keyValues([
        ['ID', task.id],
        ['Subject', task.subject],
        ['Status', task.status],
        ['Description', task.description],
        ['Blocks', task.blocks?.join(', ')],
        ['Blocked By', task.blocked_by?.join(', ')],
        ['Activation', task.activation],
      ]),
    );
  },
  upload(url, terminal) {
    terminal.line(url);
    terminal.progress(audienceOf(url, 'read the file'));
  },
  port_url(url, terminal) {
    terminal.line(url);
    terminal.progress(audienceOf(url, 'use the port until the agent ends'));
  },
  agent_url(url, terminal) {
    terminal.line(url);
    const isOpen = url.includes('#key=');
    terminal.progress(
      isOpen
        ? audienceOf(url, 'read the agent; open it within 10 minutes and do not pass it on')
        : 'the URL has no key; `murmur url agent` prints a link that opens the page',
    );
  },
  machine_ls(result, terminal) {
    presentMachines(result, terminal);
  },
  auth(result, terminal) {
    terminal.line(
      keyValues([
        ['account', result.account],
        ['agent', result.agent],
        ['rights', result.rights],
        ['workspace', result.workspace],
        ['source', result.token.source],
        ['created', stamp(result.token.created_at)],
        ['expires', result.token.expires_at === undefined ? 'never' : stamp(result.token.expires_at)],
      ]),
    );
  },
  auth_token_create(result, terminal) {
    const until = result.expires_at === undefined ? '' : `, until ${stamp(result.expires_at)}`;
    terminal.progress(`token ${result.id}${until}; it is not shown again`);
    terminal.line(result.token);
  },
  auth_token_ls(tokens, terminal) {
    if (tokens.length === 0) {
      terminal.progress('no tokens');
      return;
    }
    const rows = tokens.map(({ id, label, created_at, expires_at }) => [
      id,
      label ?? '',
      stamp(created_at),
      expires_at === undefined ? 'never' : stamp(expires_at),
    ]);
    terminal.line(table(['ID', 'LABEL', 'CREATED', 'EXPIRES'], rows));
  },
  version(result, terminal) {
    const commit = result.server_commit === undefined ? '' : ` (${result.server_commit})`;
    terminal.line(
      keyValues([
        ['API', result.api_host],
        ['Server', `${result.server_version}${commit}`],
      ]),
    );
  },
};

/** Prints the answer of an operation that has a presenter. */
export function present(name: PresentedOperation, result: unknown, terminal: Terminal, input: Input): void {
  // The answer has the operation's type, but the compiler cannot infer that from a name known at run time.
  (PRESENTERS[name] as (result: unknown, terminal: Terminal, input: Input) => void)(result, terminal, input);
}

function turnText(turn: OutputOf<Operations['turns']>[number]): string {
  const end = turn.ended_at === undefined ? '(in flight)' : stamp(turn.ended_at);
  const status = turn.status === undefined || turn.status === 'completed' ? '' : `  [${turn.status}]`;
  const others = turn.inputs
    .slice(1)
    .map((input) => `  input [${input.kind}] from ${input.from}\n${indent(input.text)}`);
  return [
    `turn ${turn.turn.toString()}  ${stamp(turn.started_at)} → ${end}${status}`,
    `  description: ${indent(turn.description).trimStart()}`,
    ...others,
    ...(turn.response === undefined ? [] : [`  response:\n${indent(turn.response)}`]),
    ...(turn.error === undefined ? [] : [`  error: ${turn.error.message}`]),
  ].join('\n');
}

function indent(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** Says who can open a URL. `what` is what the URL allows: `read the file`. */
function audienceOf(url: string, what: string): string {
  const host = URL.parse(url)?.hostname ?? '';
  if (LOOPBACK.test(host)) return `only this machine can open it, to ${what}; set MURMUR_PUBLIC_URL for others`;
  return `everybody who has the URL and reaches ${host} can ${what}`;
}

/** The line with the values of the answer's fields in place of `{name}`: `cleared {cleared}`. */
export function lineOf(prints: string, answer: unknown): string {
  const fields = answer as Readonly<Record<string, string | number | readonly string[]>>;
  return prints.replaceAll(/\{(\w+)\}/g, (_, name: string) => textOf(fields[name] ?? ''));
}

function textOf(value: string | number | readonly string[]): string {
  return typeof value === 'object' ? value.join(', ') : value.toString();
}
