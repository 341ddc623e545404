// The port to machines: where agents run. Implementations: local (a directory on this host) and fake.
import type { Duplex, Readable } from 'node:stream';
import type { RunnerAddress, ServerAddress } from '../../contract/wire/runner.ts';

/** `absent` also after destroy: a provider keeps no memory of machines that are gone. */
export type MachineState = 'absent' | 'provisioning' | 'running' | 'stopped';

export interface MachineInfo {
  readonly name: string;
  readonly state: MachineState;
  /** How agent processes are held apart on it, for `status` and `doctor`. */
  readonly isolation: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface CreateMachine {
  /** Unique; `murmur-<8 hex>`. */
  readonly name: string;
  /** For whom it is made: `{ agent: <workflow id>, spawn: <spawn id> }`. It is used for nobody else. */
  readonly labels: Readonly<Record<string, string>>;
}

/** What a runner on the machine is told about holding processes apart: written by the provider, read by isolation. */
export type IsolationSettings = Readonly<Record<string, unknown>>;

/**
 * Makes and ends machines. Every call is idempotent by name, so an activity may be retried at any point.
 * All calls throw MurmurError: UNAVAILABLE when the provider cannot be reached, FAILED_PRECONDITION when it refuses.
 */
export interface MachineProvider {
  readonly name: string;
  /** Resolves when the machine is running. */
  create(machine: CreateMachine): Promise<MachineInfo>;
  /** Asks the provider, not the machine: a dead connection is not a dead machine. */
  describe(name: string): Promise<MachineInfo>;
  /** Throws NOT_FOUND for an absent machine. */
  start(name: string): Promise<void>;
  /** Ends every process on it and keeps its disk. No-op for an absent machine. */
  stop(name: string): Promise<void>;
  /** Ends every process on it and removes its disk. No-op for an absent machine. */
  destroy(name: string): Promise<void>;
  list(labels?: Readonly<Record<string, string>>): Promise<readonly MachineInfo[]>;
  /** Throws NOT_FOUND for an absent machine, UNAVAILABLE for one that does not answer. */
  connect(name: string): Promise<Machine>;
}

export interface ExecOptions {
  readonly cwd?: string;
  /** Added to the machine's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
  /** The whole tree of the command is ended when the time is over; DEADLINE_EXCEEDED is thrown. */
  readonly timeoutMs: number;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A connection to a running machine. */
export interface Machine {
  readonly name: string;
  readonly isolation: string;
  /** For `RunnerConfig.isolation`. */
  readonly isolationSettings: IsolationSettings;
  /** Node on the machine, for the runner. */
  readonly node: string;
  /** Absolute paths on the machine. */
  readonly paths: {
    /** HOME of the agent program. */
    readonly home: string;
    /** Parent of the checkouts. */
    readonly work: string;
    /** The runner's own files, out of the agent's sight where isolation allows. */
    readonly runner: string;
  };
  /** Runs a command with the rights of the runner, not of the agent. Resolves for any exit code. */
  exec(command: string, args: readonly string[], options: ExecOptions): Promise<ExecResult>;
  /** Starts a program that outlives this connection, with the rights of the runner; its output goes to the log file. */
  launch(command: string, args: readonly string[], options: { readonly log: string }): Promise<void>;
  /**
   * Has the machine's runner, whose config.json is written, served by a process that serves other machines of the host as
   * well; resolves when it does. Absent where a runner needs a process of its own.
   * @param bundle the runner as one file, on this host
   */
  readonly shareRunner?: ((bundle: string) => Promise<void>) | undefined;
  /** Whether the runner of build b35f5f2 that left this address runs and listens there: it cannot prove it itself. */
  isEarlyRunner(address: RunnerAddress): Promise<boolean>;
  /** Writes a file; parents are made. */
  put(path: string, content: Buffer | string, mode?: number): Promise<void>;
  /** Throws NOT_FOUND. */
  get(path: string): Promise<Buffer>;
  /** Writes a file that only its owner may read, piece by piece: there when the source has ended. Throws its errors too. */
  putStream(path: string, source: AsyncIterable<Uint8Array>): Promise<void>;
  /** As much of the file as there is now. Whoever asked reads it to its end or destroys it. Throws NOT_FOUND. */
  getStream(path: string): Promise<Readable>;
  /** Connects to a loopback port of the machine. Throws UNAVAILABLE when nothing listens. */
  dial(port: number): Promise<Duplex>;
  /**
   * Makes a server that this host reaches reachable from the machine, over the connection that we hold, and says where:
   * on the machine's loopback when the server listens on ours. May be another place each time; the machine's runner
   * relays a port that stays.
   */
  expose(server: ServerAddress): Promise<ServerAddress>;
}
