// The one agent program of the machine: started, started again when it has died, ended.
import type { AgentBackend, AgentSession, OpenSession } from '../drivers/backends/backend.ts';

export class AgentProgram {
  readonly #backend: AgentBackend;
  readonly #session: OpenSession;
  readonly #spentUsd: () => number;
  readonly #onDeath: (reason: string) => void;
  #opening: Promise<AgentSession> | undefined;
  #stopping = false;

  /** `onDeath` hears of each end that nobody ordered; `spentUsd` is asked at each start. */
  constructor(
    backend: AgentBackend,
    session: OpenSession,
    callbacks: { readonly spentUsd: () => number; readonly onDeath: (reason: string) => void },
  ) {
    this.#backend = backend;
    this.#session = session;
    this.#spentUsd = callbacks.spentUsd;
    this.#onDeath = callbacks.onDeath;
  }

  /** The running program, started when there is none. Throws what the backend's `open` throws; may be asked again. */
  async running(): Promise<AgentSession> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /** Ends the program; it can be started again. No-op when it does not run. */
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

  /** Files of the conversation; none when the program does not run. */
  async transcriptFiles(): Promise<readonly string[]> {
    const session = await this.#opening?.catch(() => undefined);
    return (await session?.transcriptFiles()) ?? [];
  }

  async #open(): Promise<AgentSession> {
    try {
      const session = await this.#backend.open({ ...this.#session, spentUsd: this.#spentUsd() });
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
