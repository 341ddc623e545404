// The handler of every operation that is not a plain message. A missing one is a compile error.
import { authTokenCreate, authTokenLs, authTokenRevoke } from './auth-tokens.ts';
import { each } from './each.ts';
import { flightStatus } from './status.ts';
import type { Handlers } from '../handler.ts';
import { auth, version } from './identity.ts';
import { kill } from './kill.ts';
import { ls } from './ls.ts';
import { machineLs, machineRm } from './machines.ts';
import { agentUrl, portUrl, upload } from './sharing.ts';
import { spawn } from './spawn.ts';
import { status } from './status.ts';
import { sessionWatch, watch } from './streams.ts';
import { taskGet, taskList } from './tasks.ts';
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
  flight_status: flightStatus,
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
};
