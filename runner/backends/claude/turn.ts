// One running turn: collects what the program tells, hands it on as events, and knows the turn's outcome. Pure.
import type { Cost, TurnError, TurnNotice } from '../../../contract/wire/turns.ts';
import type { BackendEvent, BackendTurnEnd } from '../backend.ts';
import { addCost, isSpent, NO_COST } from '../../../contract/wire/cost.ts';
import { eventText } from '../event-text.ts';
import { turnError } from '../model-errors.ts';
import { costOf } from './cost.ts';
import type { FailureSigns } from './errors.ts';
import { errorOf, refusedCredentials } from './errors.ts';
import { NO_WORD, NoticesOfTurn } from './notices.ts';
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

/** What a turn shares with the session around it. */
export interface TurnContext {
  readonly prompt: string;
  /** Whether to tell what the turn has used, with every message. */
  readonly reportsUsage: boolean;
  /** What the model is to read with the result of its next tool. */
  readonly nextNotice: () => TurnNotice | undefined;
  /** Tells an event. `cost` events go through `onCost`, which knows the session's total. */
  readonly onEvent: (event: BackendEvent) => void;
  readonly onCost: (delta: Cost) => void;
  /** The event that is told once per session, when the program names its model. */
  readonly onInit: (message: Extract<ProgramMessage, { subtype: 'init' }>) => void;
}

/** Feed it the program's messages with `take`; ask `outcome` once `hasEnded`, or `crash` when the program died. */
export class RunningTurn {
  readonly #context: TurnContext;
  readonly #end: TurnEndDetector;
  readonly #notices: NoticesOfTurn;
  #hasToldPrompt = false;
  #response = '';
  #cost = NO_COST;
  readonly #usage = new UsageCount();
  #signs: FailureSigns = {};
  #refusal: TurnError | undefined;
  /** Set when somebody asked for the turn's end. */
  isInterrupted = false;

  constructor(uuid: string, context: TurnContext) {
    this.#end = new TurnEndDetector(uuid);
    this.#context = context;
    this.#notices = new NoticesOfTurn(context.nextNotice);
  }

  get hasEnded(): boolean {
    return this.#end.hasEnded;
  }

  /** Whether only the word that the program is idle is missing. */
  get isSettled(): boolean {
    return this.#end.isSettled;
  }

  /** True once the server refuses the credentials: the program would go on trying for minutes, so the turn is ended. */
  get mustGiveUp(): boolean {
    return this.#refusal !== undefined;
  }

  take(message: ProgramMessage): void {
    if (message.type === 'system' && message.subtype === 'init') {
      this.#context.onInit(message);
      this.#tellPrompt();
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

  /** What the program hears after a tool. A turn that is to end takes no notice: its model is not asked again. */
  answerHook(hook: ControlRequestMessage): object {
    return this.isInterrupted ? NO_WORD : this.#notices.answer(hook);
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

  /** The outcome when the program died in the turn, in words. */
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
    this.#tellPrompt();
    this.#context.onCost(delta);
  }

  #emit(event: BackendEvent): void {
    this.#tellPrompt();
    this.#context.onEvent(event);
  }

  /** The prompt is the first event of every turn but the session's start, also of one that ended before it began. */
  #tellPrompt(): void {
    if (this.#hasToldPrompt) return;
    this.#hasToldPrompt = true;
    this.#context.onEvent({ type: 'user_text', text: eventText(this.#context.prompt).text });
  }

  #finish(status: BackendTurnEnd['status'], error?: TurnError, lastWords?: string): BackendTurnEnd {
    // No result has told what the last messages cost: the estimate counts.
    const untold = this.#usage.cost();
    this.#usage.settle();
    this.#tellPrompt();
    if (isSpent(untold)) this.#addCost(untold);
    if (error !== undefined) this.#emit({ type: 'error', code: error.kind, message: error.message });
    return {
      status,
      response: (lastWords === undefined || lastWords === '' ? this.#response : lastWords).toWellFormed(),
      ...(error === undefined ? {} : { error }),
      cost: this.#cost,
    };
  }
}

/** Whether the turn was broken off, by us or by a signal. */
function isAborted(result: ResultMessage): boolean {
  return result.terminal_reason?.startsWith('aborted_') === true;
}
