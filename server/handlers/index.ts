// Every operation's handler. The type makes a missing one a compile error.
import { authTokenCreate, authTokenLs, authTokenRevoke } from './auth-tokens.ts';
import { budget } from './budget.ts';
import { each } from './each.ts';
import { flightApprove, flightItems, flightRerun, flightStatus } from './flights.ts';
import type { Handlers } from './handler.ts';
import { auth, version } from './identity.ts';
import { kill } from './kill.ts';
import { ls } from './ls.ts';
import { interrupt, notify, queueAdd, sessionSend, sessionStop } from './messages.ts';
import { clearQueue, queueStrategy } from './queue.ts';
import { agentUrl, portUrl, upload } from './sharing.ts';
import { spawn } from './spawn.ts';
import { status } from './status.ts';
import { sessionWatch, watch } from './streams.ts';
import { taskCreate, taskGet, taskList, taskUpdate } from './tasks.ts';
import { turns } from './turns.ts';
import { wait } from './wait.ts';

export const handlers: Handlers = {
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
  auth,
  auth_token_create: authTokenCreate,
  auth_token_ls: authTokenLs,
  auth_token_revoke: authTokenRevoke,
  version,
};
