// Bare workflows: the minimum that makes Temporal do the same as Murmur's. Sandbox: @temporalio/workflow only.
import {
  condition,
  defineQuery,
  defineSignal,
  executeChild,
  getExternalWorkflowHandle,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type * as activities from './activities.ts';

const run = proxyActivities<typeof activities>({ startToCloseTimeout: '2m', retry: { maximumAttempts: 1 } });
const local = proxyLocalActivities<typeof activities>({ startToCloseTimeout: '10s' });
const beating = proxyActivities<typeof activities>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '5s',
  retry: { initialInterval: '100ms', backoffCoefficient: 1 },
});

/** A signal to a resident workflow to run this activity. */
export const orderSignal = defineSignal<[Order]>('order');

const stateQuery = defineQuery<object>('state');

export type Order =
  | { readonly activity: 'turn'; readonly name: string; readonly text: string }
  | { readonly activity: 'interrupt' | 'stopClaude'; readonly name: string }
  | { readonly activity: 'nothing' }
  | { readonly activity: 'end' | 'nothingThenEnd' };

export interface StartInput {
  /** Activities before the one that starts the program. The last of them clones. */
  readonly before: number;
  readonly clone: { readonly from: string; readonly to: string };
  readonly claude: activities.ColdTurnInput;
}

/** From the start of the workflow to a first turn. */
export async function start({ before, clone, claude }: StartInput): Promise<void> {
  for (let index = 1; index < before; index += 1) await run.nothing();
  if (before > 0) await run.clone(clone);
  await run.coldTurn(claude);
}

/** Runs an activity for each signal, concurrently, until `end`. */
export async function resident(): Promise<void> {
  let ended = false;
  setHandler(stateQuery, () => ({ ended }));
  setHandler(orderSignal, async (order) => {
    if (order.activity === 'nothing' || order.activity === 'nothingThenEnd') await run.nothing();
    else if (order.activity === 'turn') await run.turn(order);
    else if (order.activity === 'interrupt' || order.activity === 'stopClaude') await run[order.activity](order);
    ended ||= order.activity === 'end' || order.activity === 'nothingThenEnd';
  });
  await condition(() => ended);
}

/** Signals another workflow, which starts a turn. Returns the time before the signal. */
export async function child({ parent, program, text }: ChildInput): Promise<number> {
  const at = Date.now();
  await getExternalWorkflowHandle(parent).signal(orderSignal, { activity: 'turn', name: program, text });
  return at;
}

export interface ChildInput {
  /** Workflow id of a `resident`. */
  readonly parent: string;
  /** Name of the program that runs the turn. */
  readonly program: string;
  readonly text: string;
}

export interface BurstInput {
  readonly activities: number;
  readonly localActivities: number;
  readonly upserts: number;
}

/** As many activities and upserts as a Murmur agent with one turn. */
export async function burst({ activities, localActivities, upserts }: BurstInput): Promise<void> {
  for (let index = 0; index < Math.max(activities, localActivities, upserts); index += 1) {
    if (index < upserts) upsertSearchAttributes({ MurmurPhase: [`bare-${index.toString()}`] });
    if (index < localActivities) await local.nothing();
    if (index < activities) await run.nothing();
  }
}

/** Starts this many `burst` children at once. Completes when the last one is done. */
export async function fan({ children, counts }: FanInput): Promise<void> {
  await Promise.all(Array.from({ length: children }, () => executeChild(burst, { args: [counts] })));
}

export interface FanInput {
  readonly children: number;
  readonly counts: BurstInput;
}

/** One heartbeating activity, with Murmur's timeouts of a turn. */
export async function beatWorkflow(input: { readonly name: string }): Promise<void> {
  await beating.beat(input);
}
