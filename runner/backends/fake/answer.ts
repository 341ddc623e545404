// A fake session that only answers, with the next scripted verdict of the prompt. It saves nothing. Built-ins only.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentSession } from '../backend.ts';
import { NO_COST } from '../../../contract/wire/cost.ts';
import { eventText } from '../event-text.ts';
import { scriptedVerdict } from './script.ts';
import { ANSWER_USAGE } from './turn.ts';

/** Answers with the script's verdict; without one, that everything is done. */
export function createAnswerSession(model: string, onAsk: (prompt: string) => void): AgentSession {
  const { promise: exited, resolve: exit } = Promise.withResolvers<{ readonly reason: string }>();
  const interrupt = new AbortController();
  const sessionId = randomUUID();
  return {
    sessionId,
    resumed: false,
    pid: undefined,
    exited,
    turn: async ({ prompt }, onEvent) => {
      onEvent({ type: 'session_start', session_id: sessionId, model, resumed: false });
      onEvent({ type: 'user_text', text: eventText(prompt).text });
      onAsk(prompt);
      const step = scriptedVerdict(prompt);
      const waitMs = step?.hang === true ? 2 ** 31 - 1 : (step?.delayMs ?? 0);
      await delay(waitMs, undefined, { signal: interrupt.signal }).catch(() => undefined);
      if (interrupt.signal.aborted) return { status: 'interrupted', response: '', cost: NO_COST };
      const cost = { usd: ANSWER_USAGE.usd, by_model: { [model]: ANSWER_USAGE } };
      onEvent({ type: 'cost', total_usd: cost.usd, delta: cost });
      const verdict = step === undefined ? { done: true, reason: 'nothing is missing', missing: [] } : step.verdict;
      return { status: 'completed', response: '', cost, ...(verdict === null ? {} : { structured: verdict }) };
    },
    interrupt: async () => interrupt.abort(),
    stop: async () => {
      interrupt.abort();
      exit({ reason: 'stopped' });
    },
    transcriptFiles: async () => [],
  };
}
