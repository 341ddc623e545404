// Runs turns: one at a time, each id at most once. The outcome of every turn is stored on disk.
import { setTimeout as delay } from 'node:timers/promises';
import { MurmurError } from '../../contract/wire/errors.ts';
import { ANSWER_EVENTS } from '../../contract/wire/events.ts';
import type { RunnerTurnOutcome, TurnReply, TurnRequest } from '../../contract/wire/runner.ts';
import { INLINE_TEXT_LIMIT } from '../../contract/wire/turns.ts';
import type { TurnError, TurnNotice, TurnStatus } from '../../contract/wire/turns.ts';
import type { BackendEvent } from '../backends/backend.ts';
import type { Journal } from '../journal/journal.ts';
import { cutBytes, journalable } from '../secrets/event-text.ts';
import type { Scrubber } from '../secrets/scrubber.ts';
import { WaitingNotices } from './notices.ts';
import type { RunTurn, TurnResult } from './run-turn.ts';
import type { TurnRecords } from './turn-records.ts';
import { NO_COST } from '../../contract/wire/cost.ts';

/**
 * Interval of attempts to write the outcome on a full disk. Making room takes longer, and an attempt is only one write.
 */
const WRITE_AGAIN_MS = 1_000;

export interface TurnsOptions {
  readonly journal: Journal;
  readonly records: TurnRecords;
  readonly scrubber: Scrubber;
  readonly run: RunTurn;
}

interface CurrentTurn {
  readonly request: TurnRequest;
  readonly interrupt: AbortController;
  /** Status of the turn when a stop or a limit ends it. */
  endAs?: TurnStatus;
  /** The error, if a limit ends it. */
  error?: TurnError | undefined;
  /** Set when the runner stops: the next runner writes an outcome that cannot be written now. */
  isLast?: boolean;
  /** Resolves when the outcome is on disk and in the journal, or is left to the next runner. */
  readonly ended: Promise<void>;
}

export class Turns {
  readonly #options: TurnsOptions;
  readonly #notices = new WaitingNotices();
  #current: CurrentTurn | undefined;
  #lastEnded: string | undefined;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Id of the running turn. */
  get runningTurn(): string | undefined {
    return this.#current?.request.turn_id;
  }

  /** Id of the turn that ended last in this process. */
  get lastEnded(): string | undefined {
    return this.#lastEnded;
  }

  /** Ends the turn that a killed runner left open in the journal. Its changes are reported with the next turn. */
  finishUnfinished(status: TurnStatus): void {
    const { journal, records } = this.#options;
    const turn = journal.unfinished;
    if (turn === undefined) return;
    const record = records.get(turn.turn_id);
    const { answered, reported_usd: reported, notices } = turn;
    // The program ended with the runner and cannot report the cost, so the usage that it had reported counts.
    const unreported = Math.max(turn.used_usd - reported, 0);
    if (record?.state !== 'ended' && unreported > 0) {
      const delta = { usd: unreported, by_model: {} };
      journal.append({ type: 'cost', total_usd: journal.spentUsd + unreported, delta });
    }
    const cost = { usd: reported + unreported, by_model: {} };
    const outcome =
      record?.state === 'ended'
        ? record.outcome
        : { ...emptyOutcome(turn.turn_id, status), answered, ...noticesOf(notices), cost };
    this.#end({ turn_id: turn.turn_id, number: turn.turn }, outcome);
  }

  /**
   * Starts the turn, or returns the state of a known one. Throws FAILED_PRECONDITION while another turn runs. Throws as
   * `ready` does, which is only called for a new turn.
   */
  start(request: TurnRequest, ready: () => void): TurnReply {
    if (this.#current?.request.turn_id === request.turn_id) return { state: 'running' };
    const record = this.#options.records.get(request.turn_id);
    if (record?.state === 'ended') return record;
    if (this.#current !== undefined) {
      const running = this.#current.request.turn_id;
      throw new MurmurError('FAILED_PRECONDITION', `turn ${running} is running`, { details: { turn_id: running } });
    }
    if (record?.state === 'tombstone') return this.#endUnrun(request);
    ready();
    this.#begin(request);
    this.#current = this.#launch(request);
    return { state: 'running' };
  }

  /** The reply of `start` for a turn that has ended; undefined for any other. */
  endOf(turnId: string): TurnReply | undefined {
    const record = this.#options.records.get(turnId);
    return record?.state === 'ended' ? record : undefined;
  }

  /** Ends a turn. If the turn has not arrived yet, it will end without a prompt. No-op for an ended turn. */
  interrupt(turnId: string): void {
    if (this.#current?.request.turn_id === turnId) this.#current.interrupt.abort();
    else if (this.#options.records.get(turnId) === undefined) this.#options.records.put(turnId, { state: 'tombstone' });
  }

  /** Stores a notice for the running turn or for one that has not arrived yet. No-op for an ended turn. */
  notice(turnId: string, notice: TurnNotice): void {
    const running = this.#current?.request.turn_id;
    if (running === turnId || (running === undefined && this.#options.records.get(turnId) === undefined)) {
      this.#notices.add(turnId, notice);
    }
  }

  /** Resolves when an interrupted turn has ended; at once otherwise. */
  async interruptedEnd(): Promise<void> {
    if (this.#current?.interrupt.signal.aborted === true) await this.#current.ended;
  }

  /** Ends the running turn with this status, as the last of this process. Resolves when no turn runs. */
  async cutShort(status: TurnStatus): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    current.endAs = status;
    current.error = undefined;
    current.isLast = true;
    current.interrupt.abort();
    await current.ended;
  }

  /** Ends the running turn with this error. No-op when none runs or when it is already ending. */
  endByLimit(error: TurnError): void {
    const current = this.#current;
    if (current === undefined || current.interrupt.signal.aborted) return;
    current.endAs = 'limit';
    current.error = error;
    current.interrupt.abort();
  }

  #launch(request: TurnRequest): CurrentTurn {
    const interrupt = new AbortController();
    const { journal, scrubber } = this.#options;
    let answered = false;
    const delivered: string[] = [];
    const onEvent = (event: BackendEvent): void => {
      answered ||= ANSWER_EVENTS.includes(event.type);
      if (event.type === 'user_text' && event.notice !== undefined) delivered.push(event.notice);
      // The program knows its own session only; assessments cost beside it.
      const whole = event.type === 'cost' ? { ...event, total_usd: journal.spentUsd + event.delta.usd } : event;
      const problem = journal.tryAppend(journalable(whole, scrubber));
      // An agent must not continue without a journal. Not thrown, because the backend's event callback has no error
      // handler.
      if (problem !== undefined) this.endByLimit(unwritten(problem));
    };
    const nextNotice = (): TurnNotice | undefined => this.#notices.next(request.turn_id);
    const run = this.#options
      .run(request, { interrupted: interrupt.signal, nextNotice, onEvent })
      .catch((error: unknown) => failedTurn(request, error));
    const current: CurrentTurn = {
      request,
      interrupt,
      ended: run.then(async (result) => {
        const { endAs, error } = current;
        const isCut = endAs !== undefined && result.wasCut;
        const end = isCut ? { status: endAs, ...(error === undefined ? {} : { error }) } : {};
        await this.#endOnceWritable(request, { ...result.outcome, ...end, answered, ...noticesOf(delivered) });
      }),
    };
    return current;
  }

  /** Starts and ends a turn that was interrupted before it arrived, without a model request. */
  #endUnrun(request: TurnRequest): TurnReply {
    this.#begin(request);
    this.#end(request, emptyOutcome(request.turn_id, 'interrupted'));
    const record = this.#options.records.get(request.turn_id);
    return record?.state === 'ended' ? record : { state: 'running' };
  }

  #begin({ turn_id, number, inputs }: TurnRequest): void {
    const { journal, scrubber } = this.#options;
    journal.append(journalable({ type: 'turn_start', turn_id, turn: number, inputs }, scrubber));
  }

  /** Repeats `#end` until it succeeds: on a full disk, the turn runs until there is space for its outcome. */
  async #endOnceWritable(request: TurnRequest, outcome: RunnerTurnOutcome): Promise<void> {
    for (;;) {
      try {
        this.#end(request, outcome);
        return;
      } catch (error) {
        console.error(`the end of turn ${request.turn_id} could not be written`, error);
        if (this.#current?.isLast === true) return;
        await delay(WRITE_AGAIN_MS, undefined, { ref: false });
      }
    }
  }

  #end({ turn_id, number }: Pick<TurnRequest, 'turn_id' | 'number'>, whole: RunnerTurnOutcome): void {
    const { journal, records, scrubber } = this.#options;
    const clean = scrubber.value(whole);
    const outcome = { ...clean, response: cutBytes(clean.response.toWellFormed(), INLINE_TEXT_LIMIT) };
    records.put(turn_id, { state: 'ended', end_seq: journal.nextSeq, outcome });
    const error = outcome.error && { code: outcome.error.kind, message: outcome.error.message };
    const { status, response } = outcome;
    journal.append(
      journalable(
        { type: 'turn_complete', turn_id, turn: number, status, response, ...(error ? { error } : {}) },
        scrubber,
      ),
    );
    this.#current = undefined;
    this.#lastEnded = turn_id;
  }
}

function noticesOf(notices: readonly string[]): Pick<RunnerTurnOutcome, 'notices'> {
  return notices.length === 0 ? {} : { notices };
}

/** The error of a turn whose events cannot be written. */
function unwritten({ message: reason }: Error): TurnError {
  const message = `events cannot be written to the journal: ${reason}`;
  return { kind: 'disk', message, action: 'make room on the disk of the host', retryable: true };
}

/** The result of a turn that failed within the runner. */
function failedTurn({ turn_id }: TurnRequest, error: unknown): TurnResult {
  const known = error instanceof MurmurError;
  const message = error instanceof Error ? error.message : String(error);
  return {
    wasCut: true,
    outcome: {
      ...emptyOutcome(turn_id, 'crashed'),
      error: {
        kind: 'program',
        message,
        action: (known ? error.hint : undefined) ?? 'see the log of the runner',
        retryable: known ? error.code === 'UNAVAILABLE' : false,
      },
    },
  };
}

/** An outcome without response, cost, changes and branches. */
function emptyOutcome(turnId: string, status: TurnStatus): RunnerTurnOutcome {
  return {
    turn_id: turnId,
    status,
    response: '',
    cost: NO_COST,
    files_modified: [],
    commits: [],
    pushes: [],
    branches: [],
  };
}
