// The port to machines: where agents run. Implementations: local (a directory on this host), ssh (the same on others) and
// fake (for tests).
// drivers/machines/conformance.ts says by example what every driver does.
import type { Duplex, Readable } from 'node:stream';
import type { RepoSpec } from '../../contract/wire/agent.ts';
import type { MurmurError } from '../../contract/wire/errors.ts';
import type { GitAccess, ServerAddress } from '../../contract/wire/runner.ts';
import type { ProvenAccess } from '../../runner/identity/proof.ts';

/**
 * `absent` also after destroy: a provider keeps no memory of machines that are gone. `lost`: the provider still lists the
 * machine, but nothing on it will run again, so it can only be destroyed. `repairing`: the provider works on it, and it
 * comes back without our help.
 */
export type MachineState =
  | 'absent'
  | 'provisioning'
  | 'running'
  | 'stopping'
  | 'stopped'
  | 'suspending'
  | 'suspended'
  | 'repairing'
  | 'lost';

/** Why a machine is in its state, where that is not what was asked for. Programs decide by it; sentences are for people. */
export type MachineReason = 'no_capacity' | 'quota' | 'permission' | 'preempted' | 'host_failed';

export type MachineLabels = Readonly<Record<string, string>>;

export interface MachineInfo {
  readonly name: string;
  readonly state: MachineState;
  /** As they were given, whatever the provider's own rules for labels are. Empty for an absent machine. */
  readonly labels: MachineLabels;
  /** Changes with every change of the labels: what `label` compares. Empty for an absent machine. */
  readonly version: string;
  /** Where it is: from the provider, not from the configuration, which may have changed since. */
  readonly zone?: string;
  /** The provider's id of this very machine. A machine made again under the same name has another one. */
  readonly generation?: string;
  /** Addresses at which this host may reach it, the best one first. */
  readonly addresses?: readonly string[];
  /** Public host key, as `<type> <base64>`, when the provider vouches for it. */
  readonly hostKey?: string;
  readonly reason?: MachineReason;
}

/** What a provider lists. */
export interface MachineList {
  readonly machines: readonly MachineInfo[];
  /** Hosts of the provider that could not be asked: they may have more machines. */
  readonly unreachable: readonly UnreachableHost[];
}

export interface UnreachableHost {
  /** As the configuration names it. */
  readonly host: string;
  readonly reason: MurmurError;
}

export interface MachineSpec {
  /** Unique; `murmur-<8 hex>`. */
  readonly name: string;
  /** For whom it is made (agents/machine.ts says which). It is used for nobody else. */
  readonly labels: MachineLabels;
  /** The provider's name of a size or machine type; the provider's default when absent. */
  readonly size?: string;
  readonly image?: string;
  /** In the order in which they are tried. */
  readonly zones?: readonly string[];
  /** The pool of warm machines to which it belongs. */
  readonly pool?: string;
}

export interface CreateOptions {
  /** Aborts the creation: see `create`. */
  readonly signal: AbortSignal;
  /**
   * The same for every attempt at one creation, so that a request that is sent twice makes one machine. A provider whose
   * service wants an id of another form derives it from this one.
   */
  readonly requestId: string;
  /** Hears, in a sentence for people, what takes longer than usual: another zone is tried, a quota is waited for. */
  readonly onProgress?: (sentence: string) => void;
}

/**
 * Makes and ends machines. Every call is idempotent by name, so an activity may be retried at any point.
 * All calls throw MurmurError: UNAVAILABLE when the provider cannot be reached, FAILED_PRECONDITION when it refuses,
 * RESOURCE_EXHAUSTED without capacity or quota, INVALID_ARGUMENT for a name that is not valid. A call whose signal aborts
 * rejects with the signal's reason; whatever the provider was already told may still happen, except in `create`.
 * Disposing of the provider closes its connections. It touches no machine.
 */
export interface MachineProvider extends AsyncDisposable {
  readonly name: string;
  /**
   * Resolves when the machine is running. A machine of that name which is there already is started if need be, and answered
   * with its own labels. When the signal aborts, the call removes what it has made and then rejects with the signal's
   * reason: no machine is left by it, and none that was there before is touched.
   */
  create(machine: MachineSpec, options: CreateOptions): Promise<MachineInfo>;
  /** Asks the provider, not the machine: a dead connection is not a dead machine. */
  describe(name: string, signal?: AbortSignal): Promise<MachineInfo>;
  /**
   * Replaces all labels, if the machine's `version` is still the given one. Throws FAILED_PRECONDITION when it is not,
   * NOT_FOUND for an absent machine. Of several callers with the same version exactly one succeeds.
   */
  label(
    name: string,
    labels: MachineLabels,
    options: { readonly if: string; readonly signal?: AbortSignal },
  ): Promise<MachineInfo>;
  /** Resolves when it is running. Throws NOT_FOUND for an absent machine. */
  start(name: string, signal?: AbortSignal): Promise<void>;
  /** Ends every process on it and keeps its disk. No-op for an absent machine. */
  stop(name: string, signal?: AbortSignal): Promise<void>;
  /**
   * Keeps memory and disk; processes go on after `resume`. Absent where a provider cannot do it. Throws NOT_FOUND for an
   * absent machine, FAILED_PRECONDITION in a state that does not allow it.
   */
  suspend?(name: string, signal?: AbortSignal): Promise<void>;
  /** Resolves when it is running. Throws as `suspend` does. */
  resume?(name: string, signal?: AbortSignal): Promise<void>;
  /** Ends every process on it and removes its disk. No-op for an absent machine. */
  destroy(name: string, signal?: AbortSignal): Promise<void>;
  /**
   * Machines that carry all of these labels; all that the provider has when none are given. A provider of several hosts
   * tells which of them could not be asked, and waits only seconds for those; it does not throw for them.
   */
  list(labels?: MachineLabels, signal?: AbortSignal): Promise<MachineList>;
  /**
   * A lease of the provider's connection to the machine: all leases of one machine share it, so that a call finds it open.
   * It is closed when the provider is disposed of, when it is lost, and some time after its last lease was given back; the
   * next `connect` opens another one. Throws NOT_FOUND for an absent machine, UNAVAILABLE for one that does not answer.
   */
  connect(name: string, signal?: AbortSignal): Promise<Machine>;
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

export interface LaunchOptions {
  /** Absolute path of the file to which its output is appended. */
  readonly log: string;
  /** Added to the machine's own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What was found on the machine. */
export interface MachineFacts {
  /** Absolute path of a Node that runs the runner. */
  readonly node: string;
  /** Whom commands and the runner run as. */
  readonly user: { readonly uid: number; readonly name: string };
  /** HOME of that user, as an absolute path without links. */
  readonly home: string;
  /** Version of git; absent where there is none. */
  readonly git?: string;
  /** Absolute paths of `claude`, `codex` and `murmur`, as far as they are there. */
  readonly programs: Readonly<Record<string, string>>;
}

/** Which repositories an agent may reach with the caller's access. */
export interface GitWanted {
  readonly repos: readonly Pick<RepoSpec, 'clone_url' | 'real'>[];
  /** As `isGranted` reads them. */
  readonly grants: readonly string[];
}

/** What a runner is wanted for. */
export type RunnerUse =
  /** To reach what runs, such as a turn that is to be interrupted: a runner of any build will do. */
  | 'reach'
  /** To begin something on the machine. */
  | 'begin'
  /** To run the turn of this id, or to find it as it is. */
  | { readonly turn: string };

/** How to reach a runner: it proves that it knows the token before it is sent anything. */
export interface RunnerAccess extends ProvenAccess {
  /** For a runner too old to prove it: whether it is still the one that listens on the port. */
  readonly isUnchanged?: () => Promise<boolean>;
}

export interface EnsureRunnerOptions {
  readonly use: RunnerUse;
  /**
   * Whether a runner of this build that has answered over this connection is taken as it was. One that has died since shows by the
   * next call, which fails.
   */
  readonly askOnce?: boolean;
  /** How long a runner may take to answer, in milliseconds; 20 s unless given. */
  readonly startLimitMs?: number;
}

/**
 * A connection to a running machine. Calls and streams that are under way when the connection is lost fail with UNAVAILABLE
 * at once. Disposing gives the lease back, once however often it is done; what was opened through it may be closed then.
 */
export interface Machine extends AsyncDisposable {
  readonly name: string;
  /** Aborts, with a MurmurError as its reason, when the connection is lost. `connect` then opens another one. */
  readonly lost: AbortSignal;
  /** Absolute paths on the machine. */
  readonly paths: {
    /** HOME of the agent program. */
    readonly home: string;
    /** Parent of the checkouts. */
    readonly work: string;
    /** The runner's own files, out of the agent's sight where isolation allows. */
    readonly runner: string;
  };
  /** Found on the machine once per connection. Throws FAILED_PRECONDITION when no Node there can run the runner. */
  facts(): Promise<MachineFacts>;
  /**
   * Runs a command with the rights of the runner, not of the agent. Resolves for any exit code. For small things: a
   * provider may let later calls wait when many run.
   */
  exec(command: string, args: readonly string[], options: ExecOptions): Promise<ExecResult>;
  /** Starts a program that outlives this connection, with the rights of the runner. Resolves once it has started. */
  launch(command: string, args: readonly string[], options: LaunchOptions): Promise<void>;
  /** Writes a small file; parents are made. The file has its old or its new content, never a part. */
  put(path: string, content: Buffer | string, mode?: number): Promise<void>;
  /** Throws NOT_FOUND. */
  get(path: string): Promise<Buffer>;
  /**
   * Writes a file of any size that only its owner may read; parents are made. The file is there, whole, when the promise
   * resolves; until then, and when the source or the connection fails, the path holds what it held before. Rejects with the
   * source's error.
   */
  write(path: string, source: AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * Streams the current content of the file. The caller reads it to its end or destroys it. The stream fails with
   * NOT_FOUND for a missing file and with UNAVAILABLE when the connection is lost, so its end is the end of the file.
   */
  read(path: string): Readable;
  /**
   * Connects to a loopback port of the machine. Throws UNAVAILABLE when nothing listens. Destroying the stream settles at
   * once, also on a dead connection.
   */
  dial(port: number): Promise<Duplex>;
  /**
   * Makes a server that this host reaches reachable from the machine, over the connection that we hold, and says where:
   * on the machine's loopback when the server listens on ours. The place stays while the connection lives; asked again
   * after a reconnect it may be another one. The machine's runner relays a port that stays.
   */
  expose(server: ServerAddress): Promise<ServerAddress>;
  /**
   * Serves git on the machine from our side, with the caller's configuration and credentials, of which none goes there:
   * these repositories from now on, and no others. Lasts until the machine is destroyed or the provider disposed of. Absent
   * where the runner is on this host and has the caller's git itself. Throws FAILED_PRECONDITION for a repository on this
   * host that is not what it was at the spawn.
   */
  serveGit?(wanted: GitWanted): Promise<GitAccess>;
  /**
   * The runner of the machine, started when none answers. One of another build keeps the turn that it runs, and is asked how
   * one has ended that it ran last; before anything new begins it is stopped in good order and replaced, and what the agent
   * has left running between its turns ends with it. One decision at a time per machine. Throws UNAVAILABLE with the end of
   * the runner's log when it does not come up.
   * @param bundle the runner as one file, on this host
   */
  ensureRunner(bundle: string, options: EnsureRunnerOptions): Promise<RunnerAccess>;
  /** The runner that was started last, whether it answers or not; undefined when none ever was. Starts nothing. */
  recordedRunner(): Promise<RunnerAccess | undefined>;
}
