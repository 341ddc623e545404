// The table of results.
import type { Attack } from './attack.ts';
import type { IsolationName } from './testbed.ts';

/** The result of one attack in one isolation. */
export type Outcome =
  | { readonly kind: 'tried'; readonly got: readonly string[] }
  | { readonly kind: 'skipped'; readonly reason: string }
  | { readonly kind: 'not tried'; readonly error: string };

export interface Row {
  readonly attack: Pick<Attack, 'name' | 'goal' | 'admitted'>;
  readonly outcomes: Partial<Record<IsolationName, Outcome>>;
}

/** Whether the outcome is as docs/security.md says. */
export function isPromised(
  { admitted }: Pick<Attack, 'admitted'>,
  isolation: IsolationName,
  outcome: Outcome,
): boolean {
  if (outcome.kind === 'skipped') return true;
  return outcome.kind === 'tried' && (outcome.got.length === 0 || admitted?.[isolation] !== undefined);
}

/** One line per attack and one column per isolation; then the details of each cell that is not 0. */
export function table(rows: readonly Row[], isolations: readonly IsolationName[]): string {
  const width = Math.max(...rows.map(({ attack }) => attack.name.length));
  const head = `${'attack'.padEnd(width)}  ${isolations.map((each) => each.padEnd(10)).join('')}wants to`;
  const lines = rows.map(({ attack, outcomes }) => {
    const cells = isolations.map((isolation) => cellOf(attack, isolation, outcomes[isolation]).padEnd(10));
    return `${attack.name.padEnd(width)}  ${cells.join('')}${attack.goal}`;
  });
  return [head, ...lines, '', ...rows.flatMap((row) => detailsOf(row, isolations))].join('\n').trimEnd();
}

function cellOf({ admitted }: Row['attack'], isolation: IsolationName, outcome: Outcome | undefined): string {
  if (outcome === undefined || outcome.kind === 'skipped') return '-';
  if (outcome.kind === 'not tried') return 'ERROR';
  const count = String(outcome.got.length);
  if (outcome.got.length === 0) return count;
  return admitted?.[isolation] === undefined ? `${count} !` : `${count} (adm.)`;
}

function detailsOf({ attack, outcomes }: Row, isolations: readonly IsolationName[]): readonly string[] {
  return isolations.flatMap((isolation) => {
    const outcome = outcomes[isolation];
    const place = `${attack.name}, ${isolation}`;
    if (outcome === undefined) return [];
    if (outcome.kind === 'not tried') return [`${place}: could not be run: ${outcome.error}`];
    if (outcome.kind === 'skipped') return [`${place}: not run, because ${outcome.reason}`];
    if (outcome.got.length === 0) return [];
    const reason = attack.admitted?.[isolation];
    return [
      `${place}: ${reason === undefined ? '' : `admitted, because ${reason}: `}${outcome.got.slice(0, 8).join('; ')}`,
    ];
  });
}
