// The sessions that this worker has opened with runners. Opening is idempotent, but it would cost every turn a call.
import type { SessionInput } from '../contract/wire/activities.ts';
import type { AgentSpec } from '../contract/wire/agent.ts';
import type { OpenReply } from '../contract/wire/runner.ts';
import type { Machine } from '../drivers/machines/provider.ts';
import type { RunnerClient } from '../drivers/machines/runner-client.ts';
import { openRequest } from './open-request.ts';
import type { AgentPorts } from './ports.ts';

/** The session to open, and its machine. */
export interface SessionSite extends SessionInput {
  readonly spec: AgentSpec;
  readonly machine: Machine;
  readonly runner: Pick<RunnerClient, 'open'>;
}

/** The opened sessions of one worker. */
export class Sessions {
  /** The API server's address when the session was opened, by machine: each life of an agent has its own. */
  readonly #opened = new Map<string, string>();
  readonly #ports: AgentPorts;

  constructor(ports: AgentPorts) {
    this.#ports = ports;
  }

  /**
   * Opens the session. Throws the runner's error if it refuses.
   * @param restore path of a snapshot on the machine
   */
  async open(site: SessionSite, signal: AbortSignal, restore?: string): Promise<OpenReply> {
    const { spec, machine, runner } = site;
    const api = this.#api();
    const reply = await runner.open(await openRequest(this.#ports, site, machine, restore), signal);
    this.#opened.set(spec.machine.name, api);
    return reply;
  }

  /**
   * Opens the session unless this worker has done so: each worker passes on its own credentials. Also opens it again if
   * the API server's address has changed. A restarted runner itself reports that it has no session. Returns the
   * runner's reply if it was called.
   */
  async ensureOpen(site: SessionSite, signal: AbortSignal): Promise<OpenReply | undefined> {
    if (this.#opened.get(site.spec.machine.name) === this.#api()) return undefined;
    return await this.open(site, signal);
  }

  #api(): string {
    return JSON.stringify(this.#ports.api() ?? null);
  }
}
