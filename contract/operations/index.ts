// The registry: every operation, once. Surfaces are derived from it.
import { agentUrl } from './agent-url.ts';
import { auth } from './auth.ts';
import { authTokenCreate } from './auth-token-create.ts';
import { authTokenLs } from './auth-token-ls.ts';
import { authTokenRevoke } from './auth-token-revoke.ts';
import { budget } from './budget.ts';
import { clearQueue } from './clear-queue.ts';
import { each } from './each.ts';
import { flightApprove } from './flight-approve.ts';
import { flightItems } from './flight-items.ts';
import { flightRerun } from './flight-rerun.ts';
import { flightStatus } from './flight-status.ts';
import { interrupt } from './interrupt.ts';
import { kill } from './kill.ts';
import { ls } from './ls.ts';
import { machineLs } from './machine-ls.ts';
import { machineRm } from './machine-rm.ts';
import { portUrl } from './port-url.ts';
import { notify } from './notify.ts';
import { queueAdd } from './queue-add.ts';
import { queueStrategy } from './queue-strategy.ts';
import { sessionSend } from './session-send.ts';
import { sessionStop } from './session-stop.ts';
import { sessionWatch } from './session-watch.ts';
import { spawn } from './spawn.ts';
import { status } from './status.ts';
import { taskCreate } from './task-create.ts';
import { taskGet } from './task-get.ts';
import { taskList } from './task-list.ts';
import { taskUpdate } from './task-update.ts';
import { turns } from './turns.ts';
import { upload } from './upload.ts';
import { version } from './version.ts';
import { wait } from './wait.ts';
import { watch } from './watch.ts';

/** All operations by name, in the order in which help and reference list them. */
export const operations = {
  spawn,
  each,
  ls,
  status,
  wait,
  watch,
  turns,
  kill,
  session_watch: sessionWatch,
  session_send: sessionSend,
  interrupt,
  session_stop: sessionStop,
  notify,
  queue_add: queueAdd,
  clear_queue: clearQueue,
  queue_strategy: queueStrategy,
  budget,
  flight_status: flightStatus,
  flight_approve: flightApprove,
  flight_rerun: flightRerun,
  flight_items: flightItems,
  task_create: taskCreate,
  task_update: taskUpdate,
  task_list: taskList,
  task_get: taskGet,
  upload,
  port_url: portUrl,
  agent_url: agentUrl,
  machine_ls: machineLs,
  machine_rm: machineRm,
  auth,
  auth_token_create: authTokenCreate,
  auth_token_ls: authTokenLs,
  auth_token_revoke: authTokenRevoke,
  version,
} as const;

export type Operations = typeof operations;
export type OperationName = keyof Operations;

/** Operations that stream events without an end of their own. */
export type EventsOperation = {
  [Name in OperationName]: Operations[Name] extends { readonly stream: 'events' } ? Name : never;
}[OperationName];

/** Operations with one answer, at once or in the end. */
export type AnswerOperation = Exclude<OperationName, EventsOperation>;

/** Operations that only send a message: their definition says which. */
export type PlainMessage = {
  [Name in OperationName]: Operations[Name] extends { readonly to: object } ? Name : never;
}[OperationName];

/** Operations whose answer is printed as their definition says. */
export type PrintedOperation = {
  [Name in OperationName]: Operations[Name]['cli'] extends { readonly prints: string } ? Name : never;
}[OperationName];
