// Machines for people: a table, and beneath it what each state means for them.
import type { Operations } from '../../contract/operations/index.ts';
import type { OutputOf } from '../../contract/operation.ts';
import type { OrphanReason } from '../../contract/wire/machines.ts';
import { oneLine } from '../output/sanitize.ts';
import type { Terminal } from '../output/terminal.ts';
import { table } from './table.ts';
import { ago } from './time.ts';

type Listed = OutputOf<Operations['machine_ls']>;

/** With a machine's name before them they fit into 80 columns. */
const REASONS: Readonly<Record<OrphanReason, string>> = {
  label_missing: 'a label is missing, as in earlier builds',
  other_namespace: 'its agent may live in another Temporal namespace',
  label_mismatch: 'its name does not follow from its labels',
  unknown_agent: 'neither Temporal nor a record knows its agent',
  not_sealed: 'this installation has not started its agent',
};

/** Prints the answer of `machine ls`. What could not be asked is part of the result, and not only a warning. */
export function presentMachines({ machines, unreachable }: Listed, terminal: Terminal): void {
  const notes = [
    ...machines.flatMap(({ name, reason }) =>
      reason === undefined ? [] : [`${name} is orphaned: ${REASONS[reason]}`],
    ),
    ...unreachable.map(({ provider, host, error }) => `${placeOf(provider, host)} cannot be asked: ${oneLine(error)}`),
  ];
  const parts = [
    ...(machines.length === 0 ? [] : [rowsOf(machines)]),
    ...(notes.length === 0 ? [] : [notes.join('\n')]),
  ];
  if (parts.length > 0) terminal.line(parts.join('\n\n'));
  else terminal.progress('no machines');
  const has = (state: string): boolean => machines.some((each) => each.state === state);
  if (has('unowned')) terminal.progress('the next sweep ends unowned machines');
  if (has('orphaned')) terminal.progress('`murmur machine rm <name>` ends an orphaned machine');
}

function rowsOf(machines: Listed['machines']): string {
  const now = Date.now();
  const rows = machines.map(({ agent = '', host, name, provider, spawned_at: at, state }) => {
    const age = at === undefined ? '' : ago(at, now).replace(' ago', '');
    return [name, placeOf(provider, host), state, age, agent];
  });
  return table(['MACHINE', 'WHERE', 'STATE', 'AGE', 'AGENT'], rows);
}

function placeOf(provider: string, host: string | undefined): string {
  return host === undefined ? provider : `${provider}:${host}`;
}
