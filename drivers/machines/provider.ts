// The port to machines: where agents run. Implementations: `local` (a directory on this host), `ssh` (the same on other
// hosts) and a fake for tests. drivers/machines/conformance.ts tests what every driver must do.
import type { Duplex, Readable } from 'node:stream';
import type { RepoSpec } from '../../contract/wire/agent.ts';
import type { MurmurError } from '../../contract/wire/errors.ts';
import type { GitAccess, ServerAddress } from '../../contract/wire/runner.ts';
import type { ProvenAccess } from '../../runner/identity/proof.ts';

/**
 * `absent` also after destroy: a provider does not remember destroyed machines. `lost`: the provider still lists the
 * machine, but it will never run again and can only be destroyed. `repairing`: the provider repairs the machine, and it
 * comes back without action by Murmur.
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

/** Why a machine is not in the requested state. Programs decide by this code; sentences are for people. */
export type MachineReason = 'no_capacity' | 'quota' | 'permission' | 'preempted' | 'host_failed';

export type MachineLabels = Readonly<Record<string, string>>;

export interface MachineInfo {
  readonly name: string;
  readonly state: MachineState;
  /** As they were given, also where the provider's own labels allow fewer characters. Empty for an absent machine. */
  readonly labels: MachineLabels;
  /** Changes with every change of the labels: what `label` compares. Empty for an absent machine. */
  readonly version: string;
  /** Where the machine is. It comes from the provider: the configuration may have changed since. */
  readonly zone?: string;
  /** The provider's id of the machine. A machine that is recreated under the same name has another one. */
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
  /** They name the agent for which the machine is created (agents/machine.ts). No other agent uses it. */
  readonly labels: MachineLabels;
  /** The provider's name of a size or machine type; the provider's default when absent. */
  readonly size?: string;
  readonly image?: string;
  /** In the order in which they are tried. */
  readonly zones?: readonly string[];
  /** The pool of warm machines to which the machine belongs. */
  readonly pool?: string;
}

export interface CreateOptions {
  /** Cancels the creation: see `create`. */
  readonly signal: AbortSignal;
  /**
   * The same for every attempt at one creation, so that a repeated request creates one machine. A provider whose
   * service needs another form of id derives it from this one.
   */
  readonly requestId: string;
  /** Receives a sentence for people when the creation takes longer than usual, such as while it waits for quota. */
  readonly onProgress?: (sentence: string) => void;
}

/**
 * Creates and ends machines. Every call is idempotent by name, so an activity may be retried at any point. All calls
 * throw MurmurError: UNAVAILABLE when the provider cannot be reached, FAILED_PRECONDITION when it refuses,
 * RESOURCE_EXHAUSTED without capacity or quota, INVALID_ARGUMENT for an invalid name. A call whose signal aborts
 * rejects with the signal's reason. A request that was already sent may still take effect, except in `create`.
 * Disposing the provider closes its connections and leaves the machines unchanged.
 */
export interface MachineProvider extends AsyncDisposable {
  readonly name: string;
  /**
   * Resolves once the machine is running. An existing machine of that name is started if necessary and returned with
   * its own labels. When the signal aborts, the call removes what it created and then rejects with the signal's reason.
   * It leaves no new machine, and an existing one unchanged.
   */
  create(machine: MachineSpec, options: CreateOptions): Promise<MachineInfo>;
  /** Asks the provider, not the machine: a lost connection does not mean a lost machine. */
  describe(name: string, signal?: AbortSignal): Promise<MachineInfo>;
  /**
   * Replaces all labels if the machine still has the given `version`. Throws FAILED_PRECONDITION for another version
   * and NOT_FOUND for an absent machine. Of several callers with the same version, exactly one succeeds.
   */
  label(
    name: string,
    labels: MachineLabels,
    options: { readonly if: string; readonly signal?: AbortSignal },
  ): Promise<MachineInfo>;
  /** Resolves once the machine is running. Throws NOT_FOUND for an absent machine. */
  start(name: string, signal?: AbortSignal): Promise<void>;
  /** Ends every process of the machine and keeps its disk. No-op for an absent machine. */
  stop(name: string, signal?: AbortSignal): Promise<void>;
  /**
   * Keeps memory and disk; processes continue after `resume`. Undefined where the provider cannot suspend. Throws
   * NOT_FOUND for an absent machine, FAILED_PRECONDITION in a state that does not allow it.
   */
  suspend?(name: string, signal?: AbortSignal): Promise<void>;
  /** Resolves once the machine is running. Throws as `suspend` does. */
  resume?(name: string, signal?: AbortSignal): Promise<void>;
  /** Ends every process of the machine and removes its disk. No-op for an absent machine. */
  destroy(name: string, signal?: AbortSignal): Promise<void>;
  /**
   * Machines that carry all of these labels; all that the provider has when none are given. A provider of several hosts
   * tells which of them could not be asked, and waits only seconds for those; it does not throw for them.
   */
  list(labels?: MachineLabels, signal?: AbortSignal): Promise<MachineList>;
  /**
   * A lease of the provider's connection to the machine. All leases of a machine share one open connection. It closes
   * when the provider is disposed, when it is lost, and some time after its last lease was given back. The next
   * `connect` opens another one. Throws NOT_FOUND for an absent machine, UNAVAILABLE for one that does not answer.
   */
  connect(name: string, signal?: AbortSignal): Promise<Machine>;
}

export interface ExecOptions {
  readonly cwd?: string;
  /** Added to the machine's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
  /** After this time, the command and its descendants are ended and DEADLINE_EXCEEDED is thrown. */
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

/** Facts about a machine, read on the machine. */
export interface MachineFacts {
  /** Absolute path of a Node that can run the runner. */
  readonly node: string;
  /** The user of commands and of the runner. */
  readonly user: { readonly uid: number; readonly name: string };
  /** HOME of that user, as an absolute path without links. */
  readonly home: string;
  /** Version of git; absent where git is missing. */
  readonly git?: string;
  /** Absolute paths of `claude`, `codex` and `murmur`, where they are installed. */
  readonly programs: Readonly<Record<string, string>>;
}

/** Which repositories an agent may reach with the caller's access. */
export interface GitWanted {
  readonly repos: readonly Pick<RepoSpec, 'clone_url' | 'real'>[];
  /** As `isGranted` reads them. */
  readonly grants: readonly string[];
}

/** What the caller needs a runner for. */
export type RunnerUse =
  /** To control what is running, for example to interrupt a turn. A runner of any build is enough. */
  | 'reach'
  /** To start something on the machine. */
  | 'begin'
  /** To run the turn of this id, or to re-attach to it. */
  | { readonly turn: string };

/** How to reach a runner. The runner proves that it knows the token before anything is sent to it. */
export interface RunnerAccess extends ProvenAccess {
  /** For a runner of a build without the proof: whether this runner still listens on the port. */
  readonly isUnchanged?: () => Promise<boolean>;
}

export interface EnsureRunnerOptions {
  readonly use: RunnerUse;
  /**
   * Whether a runner of this build that has already answered over this connection is used without another health check.
   * If it has died since, the next call fails.
   */
  readonly askOnce?: boolean;
  /** How long a runner may take to answer, in milliseconds; 20 s unless given. */
  readonly startLimitMs?: number;
}

/**
 * A connection to a running machine. When the connection is lost, calls and streams in progress fail with UNAVAILABLE
 * at once. Disposing gives the lease back and is idempotent. Streams that were opened through it may close then.
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
    /** The runner's own files. Isolation hides them from the agent where it can. */
    readonly runner: string;
  };
  /** Determined once per connection. Throws FAILED_PRECONDITION when no Node on the machine can run the runner. */
  facts(): Promise<MachineFacts>;
  /**
   * Runs a command with the rights of the runner, not of the agent. Resolves for any exit code. For short commands: a
   * provider may queue calls when many run.
   */
  exec(command: string, args: readonly string[], options: ExecOptions): Promise<ExecResult>;
  /** Starts a program that outlives this connection, with the rights of the runner. Resolves once it has started. */
  launch(command: string, args: readonly string[], options: LaunchOptions): Promise<void>;
  /** Writes a small file and creates its parents. Atomic: the file has its old or its new content. */
  put(path: string, content: Buffer | string, mode?: number): Promise<void>;
  /** Throws NOT_FOUND for a missing file. */
  get(path: string): Promise<Buffer>;
  /**
   * Writes a file of any size that only its owner may read, and creates its parents. The new content appears when the
   * promise resolves. Until then, and when the source or the connection fails, the path keeps its old content. Rejects
   * with the source's error.
   */
  write(path: string, source: AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * Streams the current content of the file. The caller reads the stream to its end or destroys it. It fails with
   * NOT_FOUND for a missing file and with UNAVAILABLE when the connection is lost, so its end is always the end of the
   * file.
   */
  read(path: string): Readable;
  /**
   * Connects to a loopback port of the machine. Throws UNAVAILABLE when nothing listens there. Destroying the stream
   * takes effect at once, also on a dead connection.
   */
  dial(port: number): Promise<Duplex>;
  /**
   * Makes a server that this host can reach reachable from the machine, over this connection. Resolves with its address
   * there: on the machine's loopback when the server listens on this host's. The address is valid while the connection
   * lives; after a reconnect it may change. Agents use a port of the runner's relay, which does not change.
   */
  expose(server: ServerAddress): Promise<ServerAddress>;
  /**
   * Serves git on the machine from this host, with the caller's configuration and credentials, none of which reach the
   * machine. From now on it serves exactly these repositories, until the machine is destroyed or the provider is
   * disposed of. Absent where the runner is on this host and uses the caller's git itself. Throws FAILED_PRECONDITION
   * for a repository on this host that has changed since the spawn.
   */
  serveGit?(wanted: GitWanted): Promise<GitAccess>;
  /**
   * The runner of the machine. Starts one if none answers. A runner of another build keeps its running turn and reports
   * how its last turn ended. Before anything new starts, that runner is stopped cleanly and replaced; background
   * processes of the agent end with it. Decides for one caller at a time per machine. Throws UNAVAILABLE with the end
   * of the runner's log if the runner does not start.
   * @param bundle the runner as one file, on this host
   */
  ensureRunner(bundle: string, options: EnsureRunnerOptions): Promise<RunnerAccess>;
  /** The runner that was started last, even if it does not answer; undefined when none was. Starts nothing. */
  recordedRunner(): Promise<RunnerAccess | undefined>;
}
