// All time limits and intervals of the server in milliseconds, with reasons. Tests shorten them.
import { AGENT_TIMING } from '../agents/platform.ts';
import type { AgentTiming } from '../agents/platform.ts';

export interface Timing extends AgentTiming {
  /** Interval of heartbeats in a stream. Clients close a silent stream after three times as long. */
  readonly heartbeat: number;
  /** Time before an answer with progress becomes a stream, so that quick answers and early errors need none. */
  readonly plainAnswer: number;
  /** Interval of checks of tokens of running calls and used links. Both end within a second after the revocation. */
  readonly tokenCheck: number;
  /** Interval of queries to an agent that is being killed. */
  readonly killProbe: number;
  /** The last snapshot of a large work tree takes a minute. A workflow that takes longer is terminated. */
  readonly killBound: number;
  /** For the arrival of a whole request: a slow sender occupies a connection. 8 MB take a second on a slow network. */
  readonly requestArrival: number;
  /** Between two pieces of an upload. After this time, the sender counts as gone. */
  readonly uploadSilence: number;
  /** For the arrival of a whole upload: 100 MB at half a megabit per second. */
  readonly uploadArrival: number;
  /** For the head of an answer from an agent's port: a development server compiles before its first answer. */
  readonly portAnswer: number;
  /** For open calls to end when the server stops. Then connections are closed. */
  readonly stop: number;
}

export const TIMING: Timing = {
  ...AGENT_TIMING,
  heartbeat: 15_000,
  plainAnswer: 500,
  tokenCheck: 500,
  killProbe: 5_000,
  killBound: 120_000,
  requestArrival: 30_000,
  uploadSilence: 30_000,
  uploadArrival: 1_800_000,
  portAnswer: 120_000,
  stop: 5_000,
};
