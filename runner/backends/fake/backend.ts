// A backend without a program: a script in the prompt (see script.ts) gives the model's answers. For tests, the
// benchmark, and trials at a scale that real programs do not allow. Built-ins and contract/wire only.
import { randomUUID } from 'node:crypto';
import { MurmurError } from '../../../contract/wire/errors.ts';
import type { Cost } from '../../../contract/wire/turns.ts';
import type { AgentBackend, AgentSession, BackendEvent, BackendTurn, BackendTurnEnd, OpenSession } from '../backend.ts';
import { isSpent, NO_COST } from '../../../contract/wire/cost.ts';
import { eventText } from '../event-text.ts';
import { turnError } from '../model-errors.ts';
import { createAnswerSession } from './answer.ts';
import type { FakeMessage } from './transcript.ts';
import { FakeTranscript } from './transcript.ts';
import { runFakeTurn } from './turn.ts';

/** A request as a model would get it. */
interface FakeRequest {
  readonly system: string;
  readonly messages: readonly FakeMessage[];
}

export interface FakeBackendOptions {
  /** Receives every request before it is answered. */
  readonly onRequest?: (request: FakeRequest) => void;
}

/** A session that can also crash, like a killed program. */
export interface FakeSession extends AgentSession {
  crash(): void;
}

/** A backend whose `open` returns a `FakeSession`. */
export interface FakeBackend extends AgentBackend {
  open(session: OpenSession): Promise<FakeSession>;
}

/** Name of the model when the session names none. */
const DEFAULT_MODEL = 'fake-1';

/** The fake backend. */
export function createFakeBackend(options: FakeBackendOptions = {}): FakeBackend {
  return {
    name: 'fake',
    open: async (session) => {
      if (session.answer === undefined) return createSession(session, transcriptOf(session), options);
      const hear = (text: string): void => options.onRequest?.({ system: '', messages: [{ role: 'user', text }] });
      const answering = createAnswerSession(session.model ?? DEFAULT_MODEL, hear);
      return { ...answering, crash: () => undefined };
    },
  };
}

/** The conversation of that id, or a new one. Like some programs, it chooses the ids of new conversations itself. */
function transcriptOf({ home, sessionId, user }: OpenSession): FakeTranscript {
  const known = new FakeTranscript(home, sessionId, user);
  return known.exists ? known : new FakeTranscript(home, randomUUID(), user);
}

function createSession(session: OpenSession, transcript: FakeTranscript, options: FakeBackendOptions): FakeSession {
  const resumed = transcript.messages.length > 0;
  const model = session.model ?? DEFAULT_MODEL;
  const crashed = new AbortController();
  const { promise: exited, resolve: exit } = Promise.withResolvers<{ readonly reason: string }>();
  let running: { readonly interrupt: AbortController; readonly ended: Promise<unknown> } | undefined;
  let spentUsd = session.spentUsd ?? 0;
  let hasReportedStart = false;

  const crash = (): void => {
    crashed.abort();
    exit({ reason: 'killed by SIGKILL' });
  };

  async function runTurn(
    { prompt, reportsUsage = false, nextNotice = () => undefined }: BackendTurn,
    interrupt: AbortController,
    onEvent: (event: BackendEvent) => void,
  ) {
    const instructions = await session.projectInstructions?.catch(() => undefined);
    const system = [session.appendSystemPrompt, instructions].filter((part) => part !== undefined).join('\n\n');
    if (!hasReportedStart) onEvent({ type: 'session_start', session_id: transcript.sessionId, model, resumed });
    hasReportedStart = true;
    return await runFakeTurn({
      session,
      model,
      transcript,
      prompt,
      reportsUsage,
      nextNotice,
      onEvent,
      onAsk: () => options.onRequest?.({ system, messages: [...transcript.messages] }),
      onCost: (delta: Cost) => {
        if (!isSpent(delta)) return;
        spentUsd += delta.usd;
        onEvent({ type: 'cost', total_usd: spentUsd, delta });
      },
      crash,
      interrupted: interrupt.signal,
      crashed: crashed.signal,
    });
  }

  async function turn(input: BackendTurn, onEvent: (event: BackendEvent) => void): Promise<BackendTurnEnd> {
    if (running !== undefined) throw new MurmurError('FAILED_PRECONDITION', 'a turn is running in this session');
    if (crashed.signal.aborted) {
      onEvent({ type: 'user_text', text: eventText(input.prompt).text });
      return {
        status: 'crashed',
        response: '',
        error: turnError('program', 'the agent program has ended'),
        cost: NO_COST,
      };
    }
    const interrupt = new AbortController();
    const ended = runTurn(input, interrupt, onEvent);
    running = { interrupt, ended };
    return await ended.finally(() => (running = undefined));
  }

  return {
    sessionId: transcript.sessionId,
    resumed,
    pid: undefined,
    exited,
    turn,
    crash,
    interrupt: async () => running?.interrupt.abort(),
    stop: async () => {
      const last = running;
      last?.interrupt.abort();
      await last?.ended;
      crashed.abort();
      exit({ reason: 'stopped' });
    },
    transcriptFiles: async () => (transcript.messages.length === 0 ? [] : [transcript.file]),
  };
}
