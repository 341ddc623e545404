// All measures, in the order of the table.
import type { Measure } from '../measure.ts';
import { childEnd } from './child-end.ts';
import { fanOut } from './fan-out.ts';
import { fleet } from './fleet.ts';
import { history } from './history.ts';
import { interrupt } from './interrupt.ts';
import { killTree } from './kill-tree.ts';
import { ls } from './ls.ts';
import { mcp } from './mcp.ts';
import { memory } from './memory.ts';
import { queueAdd } from './queue-add.ts';
import { sessionWatch } from './session-watch.ts';
import { spawn } from './spawn.ts';
import { sshDial, sshExec } from './ssh.ts';
import { status } from './status.ts';
import { version } from './version.ts';
import { workerKilled } from './worker-killed.ts';

export const MEASURES: readonly Measure[] = [
  spawn,
  queueAdd,
  interrupt,
  sessionWatch,
  workerKilled,
  history,
  fleet,
  fanOut,
  killTree,
  childEnd,
  status,
  version,
  mcp,
  ls,
  memory,
  sshDial,
  sshExec,
];
