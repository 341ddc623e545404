// Every deadline and interval of the server, with its reason. Milliseconds. Tests shorten them.
import { AGENT_TIMING } from '../agents/platform.ts';
import type { AgentTiming } from '../agents/platform.ts';

export interface Timing extends AgentTiming {
  /** Between signs of life in a stream; clients give a silent one up after three times as long. */
  readonly heartbeat: number;
  /** How long an answer with progress may stay a plain answer, so that quick ones and early errors need no stream. */
  readonly plainAnswer: number;
  /** Between looks at the tokens of running calls and used links: both end within a second of the revocation. */
  readonly tokenCheck: number;
  /** Between questions to an agent that is being killed. */
  readonly killProbe: number;
  /** The last snapshot of a large work tree takes a minute; what takes longer is terminated. */
  readonly killBound: number;
  /** For a whole request to arrive: a sender that trickles holds a connection. 8 MB take a second on a slow line. */
  readonly requestArrival: number;
  /** Between two pieces of an upload, after which its sender counts as gone. */
  readonly uploadSilence: number;
  /** For a whole upload to arrive: 100 MB at half a megabit a second. */
  readonly uploadArrival: number;
  /** For the head of an answer from an agent's port: a development server compiles before its first page. */
  readonly portAnswer: number;
  /** For open calls to end when the server stops; then connections are closed. */
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
