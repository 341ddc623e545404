// A host: one connection at a time for all its machines, opened on demand and again after a loss.
import type { SshHostSettings } from '../../../config/environment-settings.ts';
import type { ServerAddress } from '../../../contract/wire/runner.ts';
import { MurmurError } from '../../../contract/wire/errors.ts';
import { unlessLost } from '../lost.ts';
import { Exposures } from './exposures.ts';
import type { HostStart } from './host-call.ts';
import { openHostSession, type HostSession } from './session.ts';
import type { Shipment } from '../../shipment/shipment.ts';
import type { SshTarget } from './connection.ts';
import { messageOf } from './transport.ts';

/** A connection unused for this long is closed: on the host, its two processes take 15 MB and our program 60 MB. */
const IDLE_MS = 5 * 60_000;
/** Opening takes a second when our files have to be copied. A slow network may need many times that. */
const OPEN_LIMIT_MS = 120_000;

export interface SshHostOptions {
  readonly settings: Pick<SshHostSettings, 'host' | 'node'>;
  /** How to reach the host. Resolved at each connection, as the owner may correct the configuration. */
  readonly target: () => Promise<SshTarget>;
  readonly shipment: () => Promise<Shipment>;
  readonly start: HostStart;
  /** Identifies this installation on hosts that others use too. */
  readonly owner: string;
}

export class SshHost {
  readonly name: string;
  readonly #options: SshHostOptions;
  readonly #exposures: Exposures;
  readonly #closing = new AbortController();
  #session: Promise<HostSession> | undefined;
  /** The server's process of the newest connection. */
  #server = '';
  #uses = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: SshHostOptions) {
    this.name = options.settings.host;
    this.#options = options;
    this.#exposures = new Exposures(options.owner);
  }

  /**
   * The session, shared by all callers and opened if necessary. Throws UNAVAILABLE when the host cannot be reached, and
   * the signal's reason. An aborted call does not stop the opening for other callers.
   */
  async session(signal?: AbortSignal): Promise<HostSession> {
    signal?.throwIfAborted();
    if (this.#closing.signal.aborted) throw new MurmurError('UNAVAILABLE', 'the provider of machines was closed');
    this.#touch();
    this.#session ??= this.#open();
    const opening = this.#session;
    const session = await (signal === undefined ? opening : unlessLost(signal, opening));
    if (session.program.isAlive) return session;
    session.connection.close();
    if (this.#session === opening) this.#session = undefined;
    return await this.session(signal);
  }

  /** Keeps the connection open until the returned function is called. */
  hold(): () => void {
    this.#uses += 1;
    this.#touch();
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#uses -= 1;
      this.#touch();
    };
  }

  /** Where the host reaches a server of ours: see `Exposures.expose`. */
  async expose(session: HostSession, server: ServerAddress, key?: string): Promise<ServerAddress> {
    return await this.#exposures.expose(session, server, key);
  }

  /** Closes the connection for good: later calls throw UNAVAILABLE. */
  close(): void {
    this.#closing.abort(new MurmurError('UNAVAILABLE', 'the provider of machines was closed'));
    clearTimeout(this.#idle);
    this.#drop();
  }

  async #open(): Promise<HostSession> {
    const { settings, shipment, start } = this.#options;
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(OPEN_LIMIT_MS)]);
    try {
      const target = await this.#options.target();
      const session = await openHostSession(
        { target, node: settings.node, shipment, start, predecessor: this.#server },
        signal,
      );
      this.#server = session.facts.server;
      await this.#exposures.renew(session);
      return session;
    } catch (error) {
      this.#session = undefined;
      if (!(error instanceof MurmurError)) {
        throw new MurmurError('UNAVAILABLE', `host ${this.name}: ${messageOf(error)}`, { cause: error });
      }
      throw error;
    }
  }

  #touch(): void {
    clearTimeout(this.#idle);
    if (this.#uses > 0 || this.#closing.signal.aborted) return;
    this.#idle = setTimeout(() => this.#drop(), IDLE_MS);
    // The timer must not keep the process alive.
    this.#idle.unref();
  }

  #drop(): void {
    const session = this.#session;
    this.#session = undefined;
    session?.then(
      ({ connection }) => connection.close(),
      () => undefined,
    );
  }
}
