// Lists agents: living ones from Temporal's visibility, ended ones from their records.
import { addressOfIdentity, nameFor } from '../../agents/names.ts';
import pLimit from 'p-limit';
import { parseWorkflowId, workflowIdOf } from '../../contract/wire/identity.ts';
import type { AgentIdentity } from '../../contract/wire/identity.ts';
import { AGENT_WORKFLOW, SEARCH_ATTRIBUTES } from '../../contract/wire/messages.ts';
import { plansBeneathPrefix } from '../../contract/wire/fanout/plan.ts';
import { WAITING } from '../../contract/wire/fanout/status.ts';
import { isWithin } from '../../contract/wire/rights.ts';
import { accountOf, contextOf } from '../address.ts';
import { LIVING } from '../../agents/closing.ts';
import { readExecution } from '../../agents/find.ts';
import type { Execution } from '../../agents/find.ts';
import { readProgressAndCost } from '../../agents/progress.ts';
import { readRecord } from '../../agents/record.ts';
import type { ServerParts } from '../parts.ts';
import { inTime } from '../../agents/temporal.ts';
import { allWaiting } from '../../agents/fanouts/plans.ts';
import type { Answer, Call, Handler } from '../handler.ts';

/** Rows per request to Temporal: its maximum. */
const PAGE = 1_000;
/**
 * Logs and records that are read concurrently: enough to hide the disk's latency, and far below the limit of open
 * files.
 */
const READERS = 32;
const RECORD = '/record.json';

type Summary = Answer<'ls'>[number];

/** The listed agents: those of an account, or of all accounts when it is undefined; below `top` when it is set. */
interface Scope {
  readonly workspace: string;
  readonly account: string | undefined;
  readonly top: AgentIdentity | undefined;
}

export const ls: Handler<'ls'> = async (parts, input, call) => {
  const scope = scopeOf(parts, call, input);
  // Read before the running ones: otherwise an agent that gets its slot meanwhile would be in neither list.
  const candidates = await waitingAgents(parts, scope);
  const executions = await listExecutions(parts, scope, input.all);
  const rows = await pLimit(READERS).map(executions, async (each) => await summaryOf(parts, each));
  const known = new Set(executions.map((each) => each.id));
  const waiting = candidates.filter(({ path }) => !known.has(path.slice(1)));
  const recorded = input.all ? await recordedAgents(parts, scope, known) : [];
  return sorted([...rows, ...waiting, ...recorded]).map((row) => ({ ...row, slug: slugFor(call, row) }));
};

/** An agent sees its descendants or, with `developer`, all agents of its own account. */
function scopeOf(
  parts: ServerParts,
  call: Call,
  input: { readonly workspace?: string | undefined; readonly developer?: string | undefined },
): Scope {
  const { agent } = call.caller;
  const account = accountOf(call, input.developer);
  const { workspace } = contextOf(parts, call.caller, input.workspace);
  if (agent === undefined) return { workspace, account, top: undefined };
  const all = input.developer !== undefined && input.developer !== '';
  // For an agent, other developers' agents do not exist.
  const nobody = account !== undefined && account !== call.account;
  return { workspace, account: nobody ? '' : call.account, top: all ? undefined : agent };
}

async function listExecutions(parts: ServerParts, scope: Scope, all: boolean): Promise<readonly Execution[]> {
  const found = new Map<string, Execution>();
  const query = [
    `WorkflowType = "${AGENT_WORKFLOW}"`,
    `${SEARCH_ATTRIBUTES.workspace} = "${scope.workspace}"`,
    ...(scope.account === undefined ? [] : [`${SEARCH_ATTRIBUTES.owner} = "${scope.account}"`]),
    ...(scope.top === undefined ? [] : [`WorkflowId STARTS_WITH "${workflowIdOf(scope.top)}/"`]),
    ...(all ? [] : [LIVING]),
  ].join(' AND ');
  await inTime(parts, async () => {
    for await (const info of parts.temporal.workflow.list({ query, pageSize: PAGE })) {
      const execution = readExecution(info);
      const known = found.get(execution.id);
      // A workflow that continued as new is listed once per run. The newest run counts.
      if (known === undefined || known.startedAt < execution.startedAt) found.set(execution.id, execution);
    }
  });
  return [...found.values()].filter((each) => isIn(scope, each.id) && (all || !each.closed));
}

/** Checks again, because visibility may ignore case. */
function isIn(scope: Scope, id: string): boolean {
  const identity = parseWorkflowId(id);
  if (identity?.workspace !== scope.workspace) return false;
  if (scope.account !== undefined && identity.account !== scope.account) return false;
  return scope.top === undefined || (isWithin(identity, scope.top) && identity.path.length > scope.top.path.length);
}

async function summaryOf(parts: ServerParts, execution: Execution): Promise<Summary> {
  const identity = parseWorkflowId(execution.id);
  if (identity === undefined) throw new TypeError(`not an agent's id: ${execution.id}`);
  const { slug, path } = addressOfIdentity(identity);
  const { memo, phase, startedAt } = execution;
  return {
    slug,
    path,
    phase,
    // A closed agent has no machine any more.
    ...(memo.machine === undefined || execution.closed ? {} : { vm: memo.machine }),
    ...(await readProgressAndCost(parts, execution.id)),
    ...(memo.purpose === undefined || memo.purpose === '' ? {} : { purpose: memo.purpose }),
    created_at: memo.created_at ?? startedAt.toISOString(),
  };
}

/** Agents of fan-outs that were not started yet. */
async function waitingAgents(parts: ServerParts, scope: Scope): Promise<readonly Summary[]> {
  const { workspace, account } = scope;
  const top = scope.top ?? (account === undefined ? undefined : { workspace, account, path: [] });
  const waiting = await allWaiting(parts, top === undefined ? `fanouts/w/${workspace}/u/` : plansBeneathPrefix(top));
  return waiting.flatMap(({ identity, known: { plan } }) => {
    const { id, slug, path } = addressOfIdentity(identity);
    if (!isIn(scope, id)) return [];
    const { purpose } = plan.shared;
    return [
      {
        ...{ slug, path, phase: 'starting' as const, progress: `[starting] ${WAITING}`, cost: 0 },
        ...(purpose === undefined ? {} : { purpose }),
        created_at: plan.created_at,
      },
    ];
  });
}

/** Ended agents that Temporal no longer lists. */
async function recordedAgents(
  parts: ServerParts,
  scope: Scope,
  known: ReadonlySet<string>,
): Promise<readonly Summary[]> {
  const prefix = scope.account === undefined ? `w/${scope.workspace}/u/` : `w/${scope.workspace}/u/${scope.account}/`;
  const keys = await parts.objects.list(`agents/${prefix}`);
  const ids = keys.filter((key) => key.endsWith(RECORD)).map((key) => key.slice('agents/'.length, -RECORD.length));
  const rows = await pLimit(READERS).map(
    ids.filter((id) => !known.has(id) && isIn(scope, id)),
    async (id) => await recordedSummary(parts, id),
  );
  return rows.filter((row) => row !== undefined);
}

async function recordedSummary(parts: ServerParts, id: string): Promise<Summary | undefined> {
  const record = await readRecord(parts, id);
  if (record === undefined) return undefined;
  const { slug, path, phase, cost, purpose, created_at: createdAt } = record.status;
  const { cost: _fromLog, ...progress } = await readProgressAndCost(parts, workflowIdOf(record.spec.identity));
  return {
    slug,
    path,
    phase,
    ...progress,
    cost: cost.total_usd,
    ...(purpose === undefined ? {} : { purpose }),
    created_at: createdAt,
  };
}

/** The agent's slug for this caller. */
function slugFor({ caller }: Call, { path, slug }: Summary): string {
  const identity = parseWorkflowId(path.slice(1));
  // For an agent, the empty slug means itself. A list shows its path instead.
  return identity === undefined ? slug : nameFor(caller, identity) || path;
}

/** Sorted by path, so that children follow their parents. Temporal's visibility cannot sort. */
function sorted(rows: readonly Summary[]): readonly Summary[] {
  return rows.toSorted((left, right) => (left.path < right.path ? -1 : 1));
}
