// One turn of the fake backend: plays the script's steps until one calls no tool. Built-ins only.
import { setTimeout as delay } from 'node:timers/promises';
import type { Cost, TurnNotice } from '../../../contract/wire/turns.ts';
import type { BackendEvent, BackendTurnEnd, OpenSession } from '../backend.ts';
import { addCost, NO_COST } from '../../../contract/wire/cost.ts';
import { eventText } from '../event-text.ts';
import { kindOfStatus, turnError } from '../model-errors.ts';
import type { ScriptedTool, ScriptStep } from './script.ts';
import { scriptPlace } from './script.ts';
import { runTool } from './tools.ts';
import type { FakeTranscript } from './transcript.ts';

/** The cost of one answer, in round figures for simple sums in tests. */
export const ANSWER_USAGE = {
  input_tokens: 100,
  output_tokens: 20,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  usd: 0.001,
} as const;

/** What a session passes to its turn. */
export interface FakeTurnContext {
  readonly session: OpenSession;
  readonly model: string;
  readonly transcript: FakeTranscript;
  readonly prompt: string;
  readonly reportsUsage: boolean;
  readonly nextNotice: () => TurnNotice | undefined;
  readonly onEvent: (event: BackendEvent) => void;
  /** Called before each answer. */
  readonly onAsk: () => void;
  readonly onCost: (delta: Cost) => void;
  /** Ends the session like a program that dies. */
  readonly crash: () => void;
  readonly interrupted: AbortSignal;
  readonly crashed: AbortSignal;
}

/** Runs the turn. Rejects only when the transcript cannot be written. */
export async function runFakeTurn(context: FakeTurnContext): Promise<BackendTurnEnd> {
  const { transcript, onEvent } = context;
  const stopped = AbortSignal.any([context.interrupted, context.crashed]);
  let cost: Cost = NO_COST;
  let response = '';
  let failures = 0;

  const end = (status: BackendTurnEnd['status'], error?: BackendTurnEnd['error']): BackendTurnEnd => {
    context.onCost(cost);
    if (error !== undefined) onEvent({ type: 'error', code: error.kind, message: error.message });
    return { status, response, ...(error === undefined ? {} : { error }), cost };
  };
  const broken = (): BackendTurnEnd => {
    if (context.crashed.aborted && !context.interrupted.aborted) {
      return end('crashed', turnError('program', 'the agent program ended in mid-turn (scripted)'));
    }
    transcript.add('user', '[Request interrupted by user]');
    return end('interrupted');
  };

  onEvent({ type: 'user_text', text: eventText(context.prompt).text });
  transcript.add('user', context.prompt);
  for (;;) {
    if (stopped.aborted) return broken();
    context.onAsk();
    const step = nextStep(transcript, context.prompt);
    if (step.hang === true || step.delayMs !== undefined)
      await wait(step.hang === true ? undefined : step.delayMs, stopped);
    if (step.crash === true) {
      // Counts as an answer: a resumed session continues after it and does not crash again.
      transcript.add('assistant', '');
      context.crash();
    }
    if (stopped.aborted) return broken();
    if (step.status !== undefined && failures < (step.times ?? Infinity)) {
      failures++;
      const message = step.message ?? `API Error: ${step.status} scripted`;
      const kind = kindOfStatus(step.status) ?? 'unknown';
      if (step.times === undefined) return end('api_error', turnError(kind, message));
      const attempts = { attempt: failures, max_attempts: step.times, delay_ms: 0 };
      onEvent({ type: 'retry', ...attempts, http_status: step.status, error: message });
      continue;
    }
    cost = addCost(cost, { usd: ANSWER_USAGE.usd, by_model: { [context.model]: ANSWER_USAGE } });
    if (context.reportsUsage) onEvent({ type: 'usage', used_usd: cost.usd });
    if (step.text !== undefined) response = step.text.toWellFormed();
    const calls = speak(step, context);
    for (const [index, call] of calls.entries()) {
      if (!(await useTool(call, index, context, stopped))) return broken();
    }
    if (calls.length === 0) return end('completed');
  }
}

/** Reports the step's texts; returns its tool calls. */
function speak(step: ScriptStep, { transcript, onEvent }: FakeTurnContext): readonly ScriptedTool[] {
  transcript.add('assistant', step.text ?? '');
  if (step.thinking !== undefined) onEvent({ type: 'thinking', text: eventText(step.thinking).text });
  if (step.text !== undefined) onEvent({ type: 'assistant_text', text: eventText(step.text).text });
  return step.tools ?? (step.tool === undefined ? [] : [{ tool: step.tool, input: step.input ?? {} }]);
}

/** Runs one call and reports its result. False when the turn ended meanwhile; a crashed program reports nothing. */
async function useTool(
  call: ScriptedTool,
  index: number,
  { session, transcript, nextNotice, onEvent, crashed, interrupted }: FakeTurnContext,
  stopped: AbortSignal,
): Promise<boolean> {
  const tool_use_id = `fake-${transcript.messages.length}-${index}`;
  const input = eventText(JSON.stringify(call.input ?? {})).text;
  onEvent({ type: 'tool_use', tool: call.tool, tool_use_id, input });
  const outcome = await runTool(call, session, stopped);
  if (crashed.aborted && !interrupted.aborted) return false;
  onEvent({ type: 'tool_result', tool_use_id, ...eventText(outcome.text), is_error: outcome.isError });
  transcript.add('tool', outcome.text);
  if (stopped.aborted) return false;
  const notice = nextNotice();
  if (notice === undefined) return true;
  // Added with the tool's result: as a user message, it could start another script.
  transcript.add('tool', notice.text);
  onEvent({ type: 'user_text', text: eventText(notice.text).text, notice: notice.id });
  return !stopped.aborted;
}

function nextStep(transcript: FakeTranscript, prompt: string): ScriptStep {
  const place = scriptPlace(transcript.messages);
  return place?.steps[place.position] ?? { text: `ACK ${transcript.messages.length}: ${prompt.slice(0, 200)}` };
}

/** Waits this long, or for ever when undefined. An abort ends the wait. */
async function wait(ms: number | undefined, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  if (ms !== undefined) return await delay(ms, undefined, { signal }).catch(() => undefined);
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
