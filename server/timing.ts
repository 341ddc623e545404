// Every deadline and interval of the server, with its reason. Milliseconds. Tests shorten them.

export interface Timing {
  /** Of one call to Temporal; it covers a restart of the dev server, which takes a few seconds. */
  readonly temporalCall: number;
  /** A query without a worker never answers; the design allows `status` 2 s before it falls back. */
  readonly query: number;
  /** Of an update; without a worker it is neither accepted nor refused. A busy worker replays a history in less. */
  readonly update: number;
  /** Between looks at an agent whose log is silent: one that was terminated by hand writes no event. */
  readonly recheck: number;
  /** Between signs of life in a stream; clients give a silent one up after three times as long. */
  readonly heartbeat: number;
  /** How long an answer with progress may stay a plain answer, so that quick ones and early errors need no stream. */
  readonly plainAnswer: number;
  /** Between looks at the tokens of running calls and used links: both end within a second of the revocation. */
  readonly tokenCheck: number;
  /** Between questions to an agent that is being killed. */
  readonly killProbe: number;
  /** An agent under kill that answers no question for so long has no worker: it is terminated. */
  readonly killUnanswered: number;
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
  temporalCall: 10_000,
  query: 2_000,
  update: 10_000,
  recheck: 15_000,
  heartbeat: 15_000,
  plainAnswer: 500,
  tokenCheck: 500,
  killProbe: 5_000,
  killUnanswered: 15_000,
  killBound: 120_000,
  requestArrival: 30_000,
  uploadSilence: 30_000,
  uploadArrival: 1_800_000,
  portAnswer: 120_000,
  stop: 5_000,
};
