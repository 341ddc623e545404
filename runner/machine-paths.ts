// Paths of folders and files on a machine. Imports nothing of Murmur.
import path from 'node:path';

/** Absolute paths. The agent sees `home`, `work` and `run`. Only the runner uses `runner`. */
export interface MachinePaths {
  readonly runner: string;
  readonly home: string;
  readonly work: string;
  /** What the runner provides to the agent's processes: sockets, scripts, git configuration. */
  readonly run: string;
  readonly config: string;
  readonly address: string;
  readonly journal: string;
  /** One file per turn. */
  readonly turns: string;
  readonly snapshots: string;
  /** Unfinished clones. */
  readonly clones: string;
  /** State of the last observation; see observation/observe.ts. */
  readonly baseline: string;
  /** Port of the relay to the API server, so that the next runner uses the same one. */
  readonly relay: string;
  /** The same of the relay to the broker of git, where that is on another host. */
  readonly gitRelay: string;
  /** SessionRecord: open-session.ts. */
  readonly session: string;
  /** Exists from the stop request until the next start. */
  readonly stopOrder: string;
  /** CleanStop. */
  readonly ended: string;
  /** StopReport. */
  readonly last: string;
  /** IsolationInForce. */
  readonly isolation: string;
}

/** The layout that belongs to `<machine>/runner`. */
export function machinePaths(runnerDirectory: string): MachinePaths {
  const runner = path.resolve(runnerDirectory);
  const machine = path.dirname(runner);
  return {
    runner,
    home: path.join(machine, 'home'),
    work: path.join(machine, 'work'),
    run: path.join(machine, 'run'),
    config: path.join(runner, 'config.json'),
    address: path.join(runner, 'address.json'),
    journal: path.join(runner, 'journal.jsonl'),
    turns: path.join(runner, 'turns'),
    snapshots: path.join(runner, 'snapshots'),
    clones: path.join(runner, 'clones'),
    baseline: path.join(runner, 'baseline.json'),
    relay: path.join(runner, 'relay.json'),
    gitRelay: path.join(runner, 'git-relay.json'),
    session: path.join(runner, 'session.json'),
    stopOrder: path.join(runner, 'stop.json'),
    ended: path.join(runner, 'ended.json'),
    last: path.join(runner, 'last.json'),
    isolation: path.join(runner, 'isolation.json'),
  };
}
