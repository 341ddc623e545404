// Makes servers of this side reachable from a host, each through a loopback port of the host that does not change.
import { connect } from 'node:net';
import { posix } from 'node:path';
import type { Duplex } from 'node:stream';
import { MurmurError } from '../../../contract/wire/errors.ts';
import type { ServerAddress } from '../../../contract/wire/runner.ts';
import type { SshConnection } from './connection.ts';
import type { HostFiles } from './files.ts';

/** The part of a session that exposing needs. */
export interface ExposingSession {
  readonly connection: SshConnection;
  readonly files: HostFiles;
  /** Folder of our files on the host. */
  readonly shipped: string;
}

/**
 * The ports outlive the connections to the host and this process: a file on the host lists them, and each new
 * connection requests them again. A program on the host finds the server on the same port after a restart of this
 * process.
 */
export class Exposures {
  readonly #owner: string;
  readonly #servers = new Map<string, ServerAddress>();
  /** The requests of each connection: concurrent calls for one server share one port. */
  readonly #asked = new WeakMap<SshConnection, Map<string, Promise<number>>>();
  /** Serializes the writes of the file. */
  #writing: Promise<unknown> = Promise.resolve();

  /** @param owner names the file: installations that use one host must not take over each other's ports */
  constructor(owner: string) {
    this.#owner = owner;
  }

  /**
   * The address at which the host reaches the server. It stays the same after a reconnect, unless another program has
   * taken the port.
   * @param key under which the port is stored, for a server whose own port changes with each start of ours
   */
  async expose(
    session: ExposingSession,
    server: ServerAddress,
    key = `${server.host} ${String(server.port)}`,
  ): Promise<ServerAddress> {
    const { connection } = session;
    this.#servers.set(key, server);
    const asked = this.#asked.get(connection) ?? new Map<string, Promise<number>>();
    this.#asked.set(connection, asked);
    const port = asked.get(key) ?? this.#listen(session, key, server);
    asked.set(key, port);
    try {
      return { host: '127.0.0.1', port: await port };
    } catch (error) {
      asked.delete(key);
      throw error;
    }
  }

  /** Exposes the servers of the previous connection again: programs on the host keep using them. Never rejects. */
  async renew(session: ExposingSession): Promise<void> {
    await Promise.allSettled([...this.#servers].map(([key, server]) => this.expose(session, server, key)));
  }

  async #listen(session: ExposingSession, key: string, server: ServerAddress): Promise<number> {
    const { connection } = session;
    const incoming = (stream: Duplex): void => relay(stream, server);
    const before = (await this.#read(session))[key] ?? 0;
    const port = await connection.listen(before, incoming).catch(async (error: unknown) => {
      const isTaken = error instanceof MurmurError && error.code === 'UNAVAILABLE';
      if (before === 0 || !isTaken || connection.lost.aborted) throw error;
      return await connection.listen(0, incoming);
    });
    if (port !== before) await this.#remember(session, key, port);
    return port;
  }

  async #remember(session: ExposingSession, key: string, port: number): Promise<void> {
    const write = async (): Promise<void> => {
      const ports = { ...(await this.#read(session)), [key]: port };
      await session.files.put(this.#file(session), JSON.stringify(ports));
    };
    const writing = this.#writing.then(write);
    this.#writing = writing.catch(() => undefined);
    await writing;
  }

  /** Empty when the file is missing or damaged. */
  async #read(session: ExposingSession): Promise<Readonly<Record<string, number>>> {
    try {
      return JSON.parse((await session.files.get(this.#file(session))).toString('utf8')) as Record<string, number>;
    } catch (error) {
      if (error instanceof SyntaxError || (error instanceof MurmurError && error.code === 'NOT_FOUND')) return {};
      throw error;
    }
  }

  #file({ shipped }: ExposingSession): string {
    return posix.join(shipped, `ports-${this.#owner}.json`);
  }
}

/** Connects an incoming connection from the host to the server. */
function relay(stream: Duplex, server: ServerAddress): void {
  const socket = connect({ ...server, noDelay: true, allowHalfOpen: true });
  for (const [from, to] of [
    [stream, socket],
    [socket, stream],
  ] as const) {
    from.on('error', () => to.destroy());
    from.on('close', () => {
      if (!from.readableEnded) to.destroy();
    });
    from.pipe(to);
  }
}
