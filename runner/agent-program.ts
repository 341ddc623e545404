// Starts, restarts and stops the machine's agent program.
import { randomUUID } from 'node:crypto';
import { AGENT_FILE } from '../contract/wire/agent-file.ts';
import type { AgentBackend, AgentSession, BackendTurnEnd, OpenSession } from './backends/backend.ts';

export class AgentProgram {
  readonly #backend: AgentBackend;
  readonly #session: OpenSession;
  readonly #spentUsd: () => number;
  readonly #onDeath: (reason: string) => void;
  readonly #onSession: (sessionId: string) => void;
  #sessionId: string;
  #opening: Promise<AgentSession> | undefined;
  #stopping = false;

  /**
   * @param callbacks `onDeath` is called when the program ends without a request, `onSession` with the session's id at
   * each start, and `spentUsd` before each start
   */
  constructor(
    backend: AgentBackend,
    session: OpenSession,
    callbacks: {
      readonly spentUsd: () => number;
      readonly onDeath: (reason: string) => void;
      readonly onSession: (sessionId: string) => void;
    },
  ) {
    this.#backend = backend;
    this.#session = session;
    this.#spentUsd = callbacks.spentUsd;
    this.#onDeath = callbacks.onDeath;
    this.#onSession = callbacks.onSession;
    this.#sessionId = session.sessionId;
  }

  /** Id of the conversation: the one that the program last reported, or before its first start the requested one. */
  get sessionId(): string {
    return this.#sessionId;
  }

  /** The running program; starts it if necessary. Throws as the backend's `open` does. A later call tries again. */
  async running(): Promise<AgentSession> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /**
   * Asks a separate session, which can read and not write, and ends it. The agent's own session is not affected. Throws
   * as the backend's `open` does.
   */
  async ask(prompt: string, schema: object, signal: AbortSignal): Promise<BackendTurnEnd> {
    const { [AGENT_FILE]: _file, ...env } = this.#session.env;
    const { mcpServers: _servers, appendSystemPrompt: _appended, ...rest } = this.#session;
    const session = await this.#backend.open({
      ...rest,
      appendSystemPrompt: undefined,
      env,
      sessionId: randomUUID(),
      answer: { schema },
    });
    const interrupt = (): void => void session.interrupt();
    signal.addEventListener('abort', interrupt, { once: true });
    try {
      const ended = session.turn({ id: randomUUID(), prompt }, () => undefined);
      if (signal.aborted) interrupt();
      return await ended;
    } finally {
      signal.removeEventListener('abort', interrupt);
      await session.stop();
    }
  }

  /** Ends the program. It can be started again. No-op when it does not run. */
  async stop(): Promise<void> {
    const opening = this.#opening;
    if (opening === undefined) return;
    this.#stopping = true;
    try {
      const session = await opening.catch(() => undefined);
      await session?.stop();
    } finally {
      this.#opening = undefined;
      this.#stopping = false;
    }
  }

  /** Id of the program's process; undefined when it does not run. */
  async pid(): Promise<number | undefined> {
    return (await this.#opening?.catch(() => undefined))?.pid;
  }

  /** Files of the conversation; none when the program does not run. */
  async transcriptFiles(): Promise<readonly string[]> {
    const session = await this.#opening?.catch(() => undefined);
    return (await session?.transcriptFiles()) ?? [];
  }

  async #open(): Promise<AgentSession> {
    try {
      const sessionId = this.#sessionId;
      const session = await this.#backend.open({ ...this.#session, sessionId, spentUsd: this.#spentUsd() });
      this.#sessionId = session.sessionId;
      this.#onSession(session.sessionId);
      void session.exited.then(({ reason }) => {
        if (this.#stopping) return;
        this.#opening = undefined;
        this.#onDeath(reason);
      });
      return session;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }
}
