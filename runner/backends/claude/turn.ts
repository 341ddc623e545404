// One running turn: turns the program's messages into events and determines the outcome. Pure.
import type { Cost, TurnError, TurnNotice } from '../../../contract/wire/turns.ts';
import type { BackendEvent, BackendTurnEnd } from '../backend.ts';
import { addCost, isSpent, NO_COST } from '../../../contract/wire/cost.ts';
import { eventText } from '../event-text.ts';
import { turnError } from '../model-errors.ts';
import { costOf } from './cost.ts';
import type { FailureSigns } from './errors.ts';
import { errorOf, refusedCredentials } from './errors.ts';
import { NO_NOTICE, NoticesOfTurn } from './notices.ts';
import type {
  ApiRetryMessage,
  AssistantMessage,
  ControlRequestMessage,
  ProgramMessage,
  ResultMessage,
  UserMessage,
} from './protocol.ts';
import { assistantEvents, retryEvent, spokenText, toolResultEvents } from './translate.ts';
import { TurnEndDetector } from './turn-end.ts';
import { UsageCount } from './usage.ts';

/** What a session passes to its turn. */
export interface TurnContext {
  readonly prompt: string;
  /** Whether to report the turn's usage with every message. */
  readonly reportsUsage: boolean;
  /** The notice that the model reads with the result of its next tool. */
  readonly nextNotice: () => TurnNotice | undefined;
  /** Receives events other than `cost`; `onCost` knows the session's total. */
  readonly onEvent: (event: BackendEvent) => void;
  readonly onCost: (delta: Cost) => void;
  /** Receives the `init` message, in which the program names its model. */
  readonly onInit: (message: Extract<ProgramMessage, { subtype: 'init' }>) => void;
}

/** Call `take` with each message of the program, then `outcome` once `hasEnded`, or `crash` when the program died. */
export class RunningTurn {
  readonly #context: TurnContext;
  readonly #end: TurnEndDetector;
  readonly #notices: NoticesOfTurn;
  #hasReportedPrompt = false;
  #response = '';
  #cost = NO_COST;
  readonly #usage = new UsageCount();
  #signs: FailureSigns = {};
  #refusal: TurnError | undefined;
  /** Set when an interrupt was requested. */
  isInterrupted = false;

  constructor(uuid: string, context: TurnContext) {
    this.#end = new TurnEndDetector(uuid);
    this.#context = context;
    this.#notices = new NoticesOfTurn(context.nextNotice);
  }

  get hasEnded(): boolean {
    return this.#end.hasEnded;
  }

  /** Whether only the state `idle` is missing for the turn's end. */
  get isSettled(): boolean {
    return this.#end.isSettled;
  }

  /**
   * True once the server rejects the credentials. The program would retry for minutes, so the session ends the turn.
   */
  get mustGiveUp(): boolean {
    return this.#refusal !== undefined;
  }

  take(message: ProgramMessage): void {
    if (message.type === 'system' && message.subtype === 'init') {
      this.#context.onInit(message);
      this.#reportPrompt();
    } else if (message.type === 'system' && message.subtype === 'api_retry') {
      this.#takeRetry(message);
    } else if (message.type === 'assistant') {
      this.#takeAnswer(message);
    } else if (message.type === 'user') {
      this.#takeResults(message);
    } else if (message.type === 'rate_limit_event') {
      const { status, resetsAt } = message.rate_limit_info;
      if (status === 'rejected' && resetsAt !== undefined) {
        this.#signs = { ...this.#signs, limitEndsAt: resetsAt * 1_000 };
      }
    } else if (message.type === 'result') {
      this.#takeCost(message);
    }
    this.#end.take(message);
  }

  /** The answer to a hook after a tool. An interrupted turn takes no notice: there is no further model request. */
  answerHook(hook: ControlRequestMessage): object {
    return this.isInterrupted ? NO_NOTICE : this.#notices.answer(hook);
  }

  /** The outcome of a turn that has ended, or was ended before its prompt was sent. */
  outcome(): BackendTurnEnd {
    const { result } = this.#end;
    if (result === undefined || isAborted(result)) {
      if (this.#refusal !== undefined && !this.isInterrupted) return this.#finish('api_error', this.#refusal);
      return this.#finish('interrupted');
    }
    if (result.is_error) {
      const status = result.subtype.startsWith('error_max_') ? 'limit' : 'api_error';
      return this.#finish(status, errorOf(result, this.#signs, Date.now()));
    }
    const end = this.#finish('completed', undefined, result.result);
    return result.structured_output === undefined ? end : { ...end, structured: result.structured_output };
  }

  /** The outcome when the program died in the turn. `reason` is for people. */
  crash(reason: string): BackendTurnEnd {
    if (this.isInterrupted) return this.#finish('interrupted');
    return this.#finish('crashed', turnError('program', `the agent program ended in mid-turn (${reason})`));
  }

  #takeRetry(message: ApiRetryMessage): void {
    this.#signs = { ...this.#signs, retry: message };
    if (message.error_status === 401) this.#refusal = refusedCredentials(message);
    this.#emit(retryEvent(message));
  }

  #takeAnswer(message: AssistantMessage): void {
    if (message.error !== undefined) this.#signs = { ...this.#signs, category: message.error };
    this.#response = spokenText(message) ?? this.#response;
    const isNew = this.#usage.take(message);
    if (isNew && this.#context.reportsUsage) {
      this.#emit({ type: 'usage', used_usd: this.#cost.usd + this.#usage.cost().usd });
    }
    for (const event of assistantEvents(message)) this.#emit(event);
  }

  #takeResults(message: UserMessage): void {
    for (const event of toolResultEvents(message)) this.#emit(event);
    for (const { id, text } of this.#notices.takenWith(message)) {
      this.#emit({ type: 'user_text', text: eventText(text).text, notice: id });
    }
  }

  #takeCost(message: ResultMessage): void {
    const delta = costOf(message);
    if (!isSpent(delta)) return;
    this.#usage.settle();
    this.#addCost(delta);
  }

  #addCost(delta: Cost): void {
    this.#cost = addCost(this.#cost, delta);
    this.#reportPrompt();
    this.#context.onCost(delta);
  }

  #emit(event: BackendEvent): void {
    this.#reportPrompt();
    this.#context.onEvent(event);
  }

  /** The prompt is the first event of every turn, after `session_start`, even if the turn ends before it begins. */
  #reportPrompt(): void {
    if (this.#hasReportedPrompt) return;
    this.#hasReportedPrompt = true;
    this.#context.onEvent({ type: 'user_text', text: eventText(this.#context.prompt).text });
  }

  #finish(status: BackendTurnEnd['status'], error?: TurnError, lastWords?: string): BackendTurnEnd {
    // No result has reported the cost of the last messages, so the estimate counts.
    const unreported = this.#usage.cost();
    this.#usage.settle();
    this.#reportPrompt();
    if (isSpent(unreported)) this.#addCost(unreported);
    if (error !== undefined) this.#emit({ type: 'error', code: error.kind, message: error.message });
    return {
      status,
      response: (lastWords === undefined || lastWords === '' ? this.#response : lastWords).toWellFormed(),
      ...(error === undefined ? {} : { error }),
      cost: this.#cost,
    };
  }
}

/** Whether an interrupt or a signal ended the turn. */
function isAborted(result: ResultMessage): boolean {
  return result.terminal_reason?.startsWith('aborted_') === true;
}
