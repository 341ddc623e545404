// A session of Claude Code: one process for all its turns. Built-ins only.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { MurmurError } from '../../../contract/wire/errors.ts';
import type { Cost } from '../../../contract/wire/turns.ts';
import type { AgentSession, BackendEvent, BackendTurn, BackendTurnEnd, OpenSession } from '../backend.ts';
import { addCost, NO_COST } from '../../../contract/wire/cost.ts';
import { AFTER_TOOL_HOOKS, NO_NOTICE } from './notices.ts';
import { claudeVersionProblem } from './program.ts';
import type { ProgramExit } from './program-process.ts';
import { exitReason, ProgramProcess } from './program-process.ts';
import type { ProgramMessage } from './protocol.ts';
import { userLine } from './protocol.ts';
import { sessionFiles } from './transcript.ts';
import { RunningTurn } from './turn.ts';

/** How long the session waits for the program before the next, harder step, in milliseconds. */
export interface ProgramTimeouts {
  /** Its first answer comes 0.4 s after its start; 150 starts at once on two cores take a minute. */
  readonly start: number;
  /** A turn ends within 200 ms of an interrupt; a loaded machine gets fifty times that. Then SIGINT. */
  readonly interrupt: number;
  /** SIGINT ends the program in about 1.3 s, its tools first. Then SIGKILL. */
  readonly sigint: number;
  /**
   * The program becomes idle right after its prompt is settled. After this time, the turn counts as ended without it.
   */
  readonly idle: number;
  /** An idle program exits at once after its input is closed. Then SIGTERM. */
  readonly close: number;
  /** SIGTERM ends the program within 1.6 s, its tools first. Then SIGKILL. */
  readonly sigterm: number;
}

export const DEFAULT_TIMEOUTS: ProgramTimeouts = {
  start: 180_000,
  interrupt: 10_000,
  sigint: 5_000,
  idle: 10_000,
  close: 5_000,
  sigterm: 5_000,
};

interface ActiveTurn {
  readonly turn: RunningTurn;
  readonly ended: Promise<BackendTurnEnd>;
  readonly end: (outcome: BackendTurnEnd) => void;
  /** Whether the program has the prompt. */
  isSent: boolean;
  isWaitingForIdle: boolean;
}

/** What `open` passes to the session. */
export interface SessionStart {
  readonly options: OpenSession;
  readonly child: ConstructorParameters<typeof ProgramProcess>[0];
  readonly resumed: boolean;
  readonly timeouts: ProgramTimeouts;
  /** Removes what was put on disk for the program. */
  readonly cleanUp: () => Promise<void>;
}

export class ClaudeSession implements AgentSession {
  /** The requested id: the program accepts the id that it is started with. */
  readonly sessionId: string;
  readonly resumed: boolean;
  readonly exited: Promise<{ readonly reason: string }>;
  readonly #options: OpenSession;
  readonly #process: ProgramProcess;
  readonly #timeouts: ProgramTimeouts;
  readonly #cleanUp: () => Promise<void>;
  #active: ActiveTurn | undefined;
  #exit: ProgramExit | undefined;
  /** Settles once the program has its system prompt. Sent once. */
  #introduction: Promise<void> | undefined;
  #hasReportedStart = false;
  #spent: Cost;
  /** Text that the program wrote before any turn: the reason if it exits at once. */
  #startProblem = '';

  constructor(start: SessionStart) {
    this.sessionId = start.options.sessionId;
    this.resumed = start.resumed;
    this.#options = start.options;
    this.#timeouts = start.timeouts;
    this.#cleanUp = start.cleanUp;
    this.#spent = { ...NO_COST, usd: start.options.spentUsd ?? 0 };
    this.#process = new ProgramProcess(
      start.child,
      (message) => this.#take(message),
      (hook) => this.#active?.turn.answerHook(hook) ?? NO_NOTICE,
    );
    this.exited = this.#process.exited.then((exit) => {
      this.#exit = exit;
      const reason = exitReason(exit);
      this.#settle((turn) => (turn.isSettled ? turn.outcome() : turn.crash(reason)));
      return { reason };
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Waits until the program answers. Resolves with undefined, or with the reason when the program ended instead. */
  async startProblem(): Promise<string | undefined> {
    const version = this.#process.control({ subtype: 'get_binary_version' });
    if (!(await endsWithin(version, this.#timeouts.start))) {
      this.#process.kill('SIGKILL');
      return `no answer within ${this.#timeouts.start / 1_000} s`;
    }
    if ((await version) !== undefined) {
      this.#introduction = this.#introduce();
      return undefined;
    }
    const { reason } = await this.exited;
    return [reason, this.#startProblem].filter((part) => part !== '').join('; ');
  }

  async turn(input: BackendTurn, onEvent: (event: BackendEvent) => void): Promise<BackendTurnEnd> {
    if (this.#active !== undefined) throw new MurmurError('FAILED_PRECONDITION', 'a turn is running in this session');
    const uuid = randomUUID();
    const turn = new RunningTurn(uuid, {
      prompt: input.prompt,
      reportsUsage: input.reportsUsage === true,
      nextNotice: input.nextNotice ?? (() => undefined),
      onEvent,
      onCost: (delta) => {
        this.#spent = addCost(this.#spent, delta);
        onEvent({ type: 'cost', total_usd: this.#spent.usd, delta });
      },
      onInit: ({ session_id, model, claude_code_version: version }) => {
        if (this.#hasReportedStart) return;
        this.#hasReportedStart = true;
        const warning = version === undefined ? undefined : claudeVersionProblem(version);
        const told = warning === undefined ? {} : { warning };
        onEvent({ type: 'session_start', session_id, model, resumed: this.resumed, ...told });
      },
    });
    if (this.#exit !== undefined) return turn.crash(exitReason(this.#exit));
    const { promise: ended, resolve: end } = Promise.withResolvers<BackendTurnEnd>();
    const active: ActiveTurn = { turn, ended, end, isSent: false, isWaitingForIdle: false };
    this.#active = active;
    await Promise.race([this.#introduction, ended]);
    if (this.#active === active) {
      active.isSent = true;
      this.#process.send(userLine(uuid, input.prompt));
    }
    return await ended;
  }

  async interrupt(): Promise<void> {
    const active = this.#active;
    if (active === undefined) return;
    active.turn.isInterrupted = true;
    if (active.isSent) await this.#breakOff(active);
    else this.#settle((turn) => turn.outcome());
  }

  async stop(): Promise<void> {
    if (this.#exit === undefined) {
      await this.interrupt();
      const ladder = [
        { act: () => this.#process.closeInput(), ms: this.#timeouts.close },
        { act: () => this.#process.kill('SIGTERM'), ms: this.#timeouts.sigterm },
        { act: () => this.#process.kill('SIGKILL'), ms: undefined },
      ];
      for (const { act, ms } of ladder) {
        act();
        if (await endsWithin(this.exited, ms)) break;
      }
    }
    await this.#cleanUp();
  }

  transcriptFiles(): Promise<readonly string[]> {
    return sessionFiles(this.#options.home, this.sessionId);
  }

  /**
   * Sends the system prompt once it is complete, and registers the callbacks after tools. The program accepts both
   * until its first turn.
   */
  async #introduce(): Promise<void> {
    const instructions = await this.#options.projectInstructions?.catch(() => undefined);
    const parts = [this.#options.appendSystemPrompt, instructions].filter((part) => part !== undefined && part !== '');
    const { answer } = this.#options;
    if (parts.length === 0 && answer !== undefined) return;
    // Not awaited: the program reads lines in order, and the prompt may follow at once.
    void this.#process.control({
      subtype: 'initialize',
      ...(parts.length === 0 ? {} : { appendSystemPrompt: parts.join('\n\n').toWellFormed() }),
      // A session that only answers gets no notices.
      ...(answer === undefined ? { hooks: AFTER_TOOL_HOOKS } : {}),
    });
  }

  #take(message: ProgramMessage): void {
    const active = this.#active;
    if (active === undefined) {
      if (message.type === 'result') this.#startProblem = message.errors?.join('; ') ?? message.result ?? '';
      return;
    }
    const gaveUp = active.turn.mustGiveUp;
    active.turn.take(message);
    if (active.turn.mustGiveUp && !gaveUp) void this.#breakOff(active);
    if (active.turn.hasEnded) this.#settle((turn) => turn.outcome());
    else if (active.turn.isSettled && !active.isWaitingForIdle) {
      active.isWaitingForIdle = true;
      void endsWithin(active.ended, this.#timeouts.idle).then((ended) => {
        if (!ended && this.#active === active) this.#settle((turn) => turn.outcome());
      });
    }
  }

  /**
   * Interrupts the program's turn; resolves once the program has accepted it. Ends the program if the turn does not
   * end.
   */
  async #breakOff(active: ActiveTurn): Promise<void> {
    const taken = this.#process.control({ subtype: 'interrupt', cancel_queued: true });
    const escalated = this.#endUnless(active.ended);
    await Promise.race([taken, escalated, active.ended]);
  }

  /** Ends the program if the turn does not end in time. */
  async #endUnless(ended: Promise<unknown>): Promise<void> {
    if (await endsWithin(ended, this.#timeouts.interrupt)) return;
    this.#process.kill('SIGINT');
    if (await endsWithin(ended, this.#timeouts.sigint)) return;
    this.#process.kill('SIGKILL');
    await this.exited;
  }

  #settle(outcomeOf: (turn: RunningTurn) => BackendTurnEnd): void {
    const active = this.#active;
    if (active === undefined) return;
    this.#active = undefined;
    active.end(outcomeOf(active.turn));
  }
}

/** Whether the promise settles in time. Without a limit, waits until it settles. */
async function endsWithin(promise: Promise<unknown>, ms: number | undefined): Promise<boolean> {
  if (ms === undefined) {
    await promise;
    return true;
  }
  const timer = new AbortController();
  const late = delay(ms, false, { signal: timer.signal }).catch(() => true);
  return await Promise.race([promise.then(() => true), late]).finally(() => timer.abort());
}
