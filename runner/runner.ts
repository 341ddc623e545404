// The runner: implements the calls of the protocol.
import { rmSync } from 'node:fs';
import { MurmurError } from '../contract/wire/errors.ts';
import { RUNNER_PROTOCOL } from '../contract/wire/runner.ts';
import type {
  CleanStop,
  OpenReply,
  OpenRequest,
  RunnerHealth,
  SnapshotReply,
  StopReport,
  StopRequest,
  TurnReply,
} from '../contract/wire/runner.ts';
import type { FileRequest, InterruptRequest, NoticeRequest, TurnRequest } from '../contract/wire/runner.ts';
import type { BackendName } from '../contract/wire/agent.ts';
import { VERDICT_SCHEMA } from '../contract/wire/assessment.ts';
import type { AssessReply, AssessRequest } from '../contract/wire/assessment.ts';
import type { AgentBackend, BackendTurnEnd } from './backends/backend.ts';
import { Assessments } from './assessment/assessments.ts';
import { changesText } from './assessment/changes.ts';
import type { Isolation } from './isolation/port.ts';
import { DiskLimit } from './disk/disk-limit.ts';
import type { DiskLimitOptions } from './disk/disk-limit.ts';
import { readFile } from './files/read-file.ts';
import { eventsAfter } from './journal/follow.ts';
import { Journal } from './journal/journal.ts';
import { MachineContext } from './machine-context.ts';
import type { MachinePaths } from './machine-paths.ts';
import { isSameSession, openSession, replyOf } from './open-session.ts';
import type { OpenedSession } from './open-session.ts';
import type { CaptureInput } from './snapshot/capture.ts';
import { Captures } from './snapshot/captures.ts';
import { readState, removeState, tryWriteState, writeState } from './state-file.ts';
import { escalateStop } from './stop-escalation.ts';
import { runTurn } from './turns/run-turn.ts';
import { TurnRecords } from './turns/turn-records.ts';
import { Turns } from './turns/turns.ts';

/** Files read at once: each is two processes and a connection, and an agent that asks for more can wait for these. */
const READINGS_LIMIT = 8;

export interface RunnerOptions {
  readonly machine: string;
  readonly paths: MachinePaths;
  readonly containment: Isolation;
  readonly backends: Readonly<Record<BackendName, () => AgentBackend>>;
  readonly callerEnv: NodeJS.ProcessEnv;
  readonly node: string;
  /** The build of this runner; see identity/build.ts. */
  readonly build: string;
  /** Limit of the agent's disk usage; absent on machines of earlier builds. */
  readonly disk?: Omit<DiskLimitOptions, 'onExcess'> | undefined;
}

export class Runner {
  readonly journal: Journal;
  /** The reply for a turn that has ended; undefined for any other. */
  readonly endOf = (turnId: string): TurnReply | undefined => this.#turns.endOf(turnId);
  readonly #options: RunnerOptions;
  readonly #context: MachineContext;
  readonly #turns: Turns;
  readonly #assessments: Assessments;
  readonly #captures = new Captures();
  readonly #disk: DiskLimit | undefined;
  #session: OpenedSession | undefined;
  #opening: Promise<unknown> = Promise.resolve();
  #stopping: Promise<void> | undefined;
  #readings = 0;
  /** Whether the program's companions were ended. Only its next start brings them back. */
  #lacksCompanions = false;

  /** Ends the turn that a killed runner left open, without a prompt. No process of the agent may run yet. */
  constructor(options: RunnerOptions) {
    const { paths, containment, machine, callerEnv, node } = options;
    this.#options = options;
    this.journal = new Journal(paths.journal);
    this.#context = new MachineContext({ machine, paths, containment, journal: this.journal, callerEnv, node });
    this.#turns = new Turns({
      journal: this.journal,
      records: new TurnRecords(paths.turns),
      scrubber: this.#context.scrubber,
      run: (request, callbacks) => {
        const { program, observer, workspace } = this.#opened();
        const observe = () => observer.observe(workspace.checkouts);
        const note = this.#disk?.note;
        const prompt = note === undefined ? request.prompt : `${note}\n\n${request.prompt}`;
        return runTurn({ program, containment, observe }, { ...request, prompt }, callbacks);
      },
    });
    this.#assessments = new Assessments((request, signal) => this.#ask(request, signal));
    const ordered = readState<StopRequest>(paths.stopOrder);
    this.#turns.finishUnfinished(ordered?.status ?? 'crashed');
    removeState(paths.stopOrder);
    rmSync(paths.clones, { recursive: true, force: true });
    if (options.disk !== undefined) {
      this.#disk = new DiskLimit({ ...options.disk, onExcess: (...excess) => void this.#enforceDiskLimit(...excess) });
    }
  }

  /** Opens the git broker's socket. */
  async listen(): Promise<void> {
    await this.#context.listen();
  }

  health(): RunnerHealth {
    const { build, machine } = this.#options;
    return { protocol: RUNNER_PROTOCOL, machine, pid: process.pid, build };
  }

  /**
   * Prepares workspace and agent program. Repeating a request only restarts a program that died. A different request (a
   * new key, a new model) replaces the program. During a turn it has no effect until the next call.
   */
  async open(request: OpenRequest): Promise<OpenReply> {
    const open = this.#opening.then(() => this.#open(request));
    this.#opening = open.catch(() => undefined);
    return open;
  }

  turn(request: TurnRequest): TurnReply {
    return this.#turns.start(request, () => {
      this.#refuseWhenStopping();
      this.#opened();
      if (this.#captures.running !== undefined) throw new MurmurError('UNAVAILABLE', 'a snapshot is being captured');
    });
  }

  interrupt({ turn_id }: InterruptRequest): void {
    if (!this.#assessments.interrupt(turn_id)) this.#turns.interrupt(turn_id);
  }

  /** Stores a notice for the running turn or for one that has not arrived yet. No-op for an ended turn. */
  notice({ turn_id, notice }: NoticeRequest): void {
    this.#turns.notice(turn_id, notice);
  }

  /** Runs an assessment, once per id. Throws FAILED_PRECONDITION while a turn runs. */
  async assess(request: AssessRequest): Promise<AssessReply> {
    this.#refuseWhenStopping();
    this.#opened();
    const running = this.#turns.runningTurn;
    if (running !== undefined) throw new MurmurError('FAILED_PRECONDITION', `turn ${running} is running`);
    return this.#context.scrubber.value(await this.#assessments.assess(request));
  }

  /** Waits for an interrupted turn. Throws FAILED_PRECONDITION while another turn runs. */
  async snapshot(): Promise<SnapshotReply> {
    await this.#turns.interruptedEnd();
    this.#refuseWhenStopping();
    const running = this.#turns.runningTurn;
    if (running !== undefined) {
      throw new MurmurError('FAILED_PRECONDITION', `turn ${running} is running; a snapshot is taken between turns`);
    }
    return await this.#captures.capture(this.#captureInput(), this.#context);
  }

  /**
   * Reads a file with the rights of the agent, at any time. Throws the errors of `readFile`, UNAVAILABLE before the
   * session is open, and RESOURCE_EXHAUSTED for too many concurrent reads.
   */
  async *readFile(request: FileRequest, signal: AbortSignal): AsyncGenerator<Buffer> {
    this.#refuseWhenStopping();
    if (this.#session === undefined) {
      throw new MurmurError('UNAVAILABLE', 'the workspace is not open yet', { hint: 'try again in a moment' });
    }
    if (this.#readings >= READINGS_LIMIT) {
      throw new MurmurError('RESOURCE_EXHAUSTED', `${READINGS_LIMIT} files are being read on this machine`, {
        hint: 'try again when one of them is done',
      });
    }
    const { containment } = this.#options;
    const { cwd } = this.#session.workspace;
    this.#readings += 1;
    try {
      yield* readFile(request, { containment, env: this.#context.env, cwd }, signal);
    } finally {
      this.#readings -= 1;
    }
  }

  /**
   * Ends the turn, the program and everything in the isolation, and writes what was requested to `last.json`. Later
   * calls wait for the same stop.
   */
  stop(request: StopRequest): Promise<void> {
    return (this.#stopping ??= this.#stop(request));
  }

  async #open(request: OpenRequest): Promise<OpenReply> {
    this.#refuseWhenStopping();
    await this.#context.tellAgent(request);
    if (request.git !== undefined) await this.#context.askBroker(request.git);
    const session = this.#session;
    if (session !== undefined) {
      if (this.#turns.runningTurn !== undefined) return replyOf(session);
      if (isSameSession(request, session)) {
        if (this.#lacksCompanions) await session.program.stop();
        this.#lacksCompanions = false;
        await session.program.running();
        return replyOf(session);
      }
      this.#session = undefined;
      await session.program.stop();
    }
    const backend = this.#options.backends[request.backend];
    if (backend === undefined) throw new MurmurError('INVALID_ARGUMENT', `there is no backend ${request.backend}`);
    this.#session = await openSession(request, backend(), this.#context);
    return replyOf(this.#session);
  }

  async #ask({ prompt }: AssessRequest, signal: AbortSignal): Promise<BackendTurnEnd> {
    const { workspace, program } = this.#opened();
    const { containment } = this.#options;
    const changes = await changesText(workspace.checkouts, { containment, env: this.#context.env });
    const end = await program.ask(`${prompt}\n\n# What has changed\n\n${changes}`, VERDICT_SCHEMA, signal);
    const { cost } = end;
    if (cost.usd > 0) {
      this.journal.append({ type: 'cost', total_usd: this.journal.spentUsd + cost.usd, delta: cost });
    }
    return end;
  }

  /** Ends the turn and all processes of the agent, also those of earlier turns. Never rejects: it is not awaited. */
  async #enforceDiskLimit(message: string, isAgain: boolean): Promise<void> {
    const action = 'tell the agent what to delete, or have the owner of the host raise limits.disk_mb';
    this.#lacksCompanions ||= isAgain;
    this.#turns.endByLimit({ kind: 'disk', message, action, retryable: false });
    try {
      const pid = await this.#session?.program.pid();
      // What still writes may only pose as a companion.
      await this.#options.containment.endStartedSince(new Date(0), pid === undefined ? [] : [pid], isAgain);
    } catch (error) {
      console.error(error);
    }
    this.journal.tryAppend({ type: 'error', code: 'disk', message });
  }

  async #stop({ status, last }: StopRequest): Promise<void> {
    this.#disk?.close();
    // If this process dies during the stop, the next one ends the turn with this status. No turn begins any more.
    if (this.#turns.runningTurn !== undefined) {
      tryWriteState(this.#options.paths.stopOrder, { status } satisfies StopRequest);
    }
    const snapshot =
      last === undefined ? {} : await this.#captures.last(last, () => this.#cutShort(status), this.#context);
    const work = Promise.all([
      this.#assessments.end(),
      this.#turns.cutShort(status),
      this.#opening,
      this.#captures.running?.catch(() => undefined),
    ]);
    const stopEscalating = escalateStop({
      endProgram: () => void this.#session?.program.stop().catch(() => undefined),
      endProcesses: async () => {
        this.#context.git.endAll();
        await this.#options.containment.endStarted().catch(() => undefined);
      },
    });
    this.#context.git.endAll();
    await work;
    stopEscalating();
    await this.#session?.program.stop();
    await this.#context.close(() => this.#options.containment.endStarted());
    // `interrupted` is a status of turns. For the session, the reason is `stopped`, with or without a turn.
    this.journal.tryAppend({ type: 'session_end', reason: status === 'interrupted' ? 'stopped' : status });
    const { containment, paths } = this.#options;
    if (last !== undefined) {
      const events = await eventsAfter(this.journal, last.after);
      writeState(paths.last, { ...snapshot, events } satisfies StopReport);
    }
    this.journal.close();
    if (containment.isWhole) tryWriteState(paths.ended, { pid: process.pid } satisfies CleanStop);
  }

  /** Ends the turn. Resolves with the input for a capture, if a session is open. */
  async #cutShort(status: StopRequest['status']): Promise<CaptureInput | undefined> {
    await this.#turns.cutShort(status);
    return this.#session === undefined ? undefined : this.#captureInput();
  }

  #captureInput(): CaptureInput {
    const { workspace, program, request } = this.#opened();
    return { name: this.#turns.lastEnded ?? 'open', request, workspace, program, diskMb: this.#disk?.limitMb };
  }

  #opened(): OpenedSession {
    if (this.#session !== undefined) return this.#session;
    throw new MurmurError('FAILED_PRECONDITION', 'the session is not open on this machine', {
      hint: 'open it first',
      details: { reason: 'not_open' },
    });
  }

  #refuseWhenStopping(): void {
    if (this.#stopping !== undefined) throw new MurmurError('UNAVAILABLE', 'the runner is stopping');
  }
}
