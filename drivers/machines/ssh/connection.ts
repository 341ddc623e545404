// One connection to the ssh server of a host. When it is lost, every pending call settles.
import { setMaxListeners } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client, ClientChannel, SFTPWrapper, TcpConnectionDetails } from 'ssh2';
import { MurmurError } from '../../../contract/wire/errors.ts';
import { unlessLost } from '../lost.ts';
import { ChannelStream } from './channel-stream.ts';
import { changedKey, isPinned, keyAlgorithms, type HostKey } from './host-key.ts';
import type { SshTransport } from './transport.ts';

/** A host as its owner has configured it. */
export interface SshTarget {
  readonly host: string;
  readonly transport: SshTransport;
  readonly user: string;
  /** At least one. */
  readonly hostKeys: readonly HostKey[];
  /** Absolute path of a private key without a passphrase. When absent, `agent` is used. */
  readonly keyFile?: string;
  /** Socket of the ssh agent. */
  readonly agent?: string;
}

/** The third unanswered keep-alive shows a dead link: within four to five seconds. */
const KEEPALIVE = { keepaliveInterval: 1_000, keepaliveCountMax: 3 } as const;
/** A handshake takes 30 ms; a host under load, or behind a slow jump, may need many times that. */
const READY_LIMIT_MS = 20_000;

/** Sessions become free within milliseconds. Where MaxSessions is below what we use, a command has to end first. */
const PLACE_LIMIT_MS = 10_000;
const PLACE_AGAIN_MS = 20;

/**
 * Connects, checks the pinned key and logs in. Throws UNAVAILABLE, FAILED_PRECONDITION for another key,
 * UNAUTHENTICATED.
 */
export async function openSshConnection(target: SshTarget, signal: AbortSignal): Promise<SshConnection> {
  const { host, hostKeys, user, keyFile, agent } = target;
  const [{ default: ssh2 }, privateKey] = await Promise.all([import('ssh2'), readKey(host, keyFile)]);
  const sock = await target.transport.dial(signal);
  const client = new ssh2.Client();
  const connection = new SshConnection(target, client, sock);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let refused: MurmurError | undefined;
  client.once('ready', () => resolve(undefined));
  const onAbort = (): void => connection.lose(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    client.connect({
      sock,
      username: user,
      ...(privateKey === undefined ? {} : { privateKey }),
      ...(privateKey !== undefined || agent === undefined ? {} : { agent }),
      algorithms: { serverHostKey: keyAlgorithms(hostKeys) as [] },
      hostVerifier: (shown: Buffer) => {
        if (isPinned(shown, hostKeys)) return true;
        refused = changedKey(host, shown, hostKeys);
        return false;
      },
      readyTimeout: READY_LIMIT_MS,
      ...KEEPALIVE,
    });
    await connection.untilLost(promise);
    return connection;
  } catch (error) {
    connection.close();
    signal.throwIfAborted();
    throw refused ?? error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function readKey(host: string, keyFile: string | undefined): Promise<Buffer | undefined> {
  if (keyFile === undefined) return undefined;
  try {
    return await readFile(keyFile);
  } catch (error) {
    throw new MurmurError('FAILED_PRECONDITION', `the key file ${keyFile} for host ${host} cannot be read`, {
      hint: 'correct key_file in murmur.yaml, or remove it to use the ssh agent',
      cause: error,
    });
  }
}

/** Handles a connection that comes in through a port of the host. */
export type Incoming = (stream: Duplex, details: TcpConnectionDetails) => void;

export class SshConnection {
  readonly host: string;
  /** Aborts when the link is dead, the server is gone or the connection was closed. The reason is a MurmurError. */
  readonly lost: AbortSignal;
  readonly #target: SshTarget;
  readonly #client: Client;
  readonly #sock: Duplex;
  readonly #lost = new AbortController();
  readonly #incoming = new Map<number, Incoming>();
  #sftp: Promise<SFTPWrapper> | undefined;

  constructor(target: SshTarget, client: Client, sock: Duplex) {
    this.host = target.host;
    this.#target = target;
    this.lost = this.#lost.signal;
    this.#client = client;
    this.#sock = sock;
    // Each stream and call adds a listener.
    setMaxListeners(0, this.lost);
    // Added before ssh2's listeners, which end channels as if the other side had ended them.
    sock.once('error', (error) => this.lose(error));
    sock.once('end', () => this.lose(new Error('the server has closed the connection')));
    sock.once('close', () => this.lose(new Error('the connection was closed')));
    client.on('error', (error) => this.lose(error));
    client.on('close', () => this.lose(new Error('the connection was closed')));
    client.on('tcp connection', (details, accept, reject) => {
      const incoming = this.#incoming.get(details.destPort);
      if (incoming === undefined || this.lost.aborted) return void reject();
      incoming(new ChannelStream(accept(), this.lost), details);
    });
  }

  /** Ends the connection and everything on it, at once. */
  close(): void {
    this.lose(new Error('the connection was closed'));
  }

  /** Destroys the connection, with this reason. */
  lose(reason: unknown): void {
    if (this.#lost.signal.aborted) return;
    this.#lost.abort(errorOf(this.#target, reason));
    this.#client.end();
    this.#sock.destroy();
  }

  /** The value, or a rejection with the reason if the connection is lost first. */
  async untilLost<Value>(value: Promise<Value>): Promise<Value> {
    return await unlessLost(this.lost, value);
  }

  /** Runs a command line in the login's shell. By default, a server allows ten sessions at once, including `sftp`. */
  async exec(command: string): Promise<ClientChannel> {
    const channel = await this.#inPlace<ClientChannel>((done) => this.#client.exec(command, done));
    // After the connection is lost, errors of the channel have no other listener.
    channel.on('error', () => undefined);
    return channel;
  }

  /** The one SFTP channel. */
  sftp(): Promise<SFTPWrapper> {
    this.#sftp ??= this.#openSftp();
    return this.#sftp;
  }

  async #openSftp(): Promise<SFTPWrapper> {
    try {
      const sftp = await this.#inPlace<SFTPWrapper>((done) => this.#client.sftp(done));
      sftp.on('error', () => undefined);
      sftp.once('close', () => (this.#sftp = undefined));
      return sftp;
    } catch (error) {
      this.#sftp = undefined;
      throw error;
    }
  }

  /** Connects to a loopback port of the host. Throws UNAVAILABLE when nothing listens. */
  async dial(port: number): Promise<Duplex> {
    const channel = await this.#call<ClientChannel>((done) =>
      this.#client.forwardOut('127.0.0.1', 0, '127.0.0.1', port, done),
    );
    return new ChannelStream(channel, this.lost);
  }

  /**
   * Listens on a loopback port of the host, on any free one for 0, and resolves with the port. Throws UNAVAILABLE when
   * the port is taken, also by an earlier connection whose link died without notice.
   */
  async listen(port: number, incoming: Incoming): Promise<number> {
    const taken = await this.#call<number>((done) => this.#client.forwardIn('127.0.0.1', port, done));
    this.#incoming.set(taken, incoming);
    return taken;
  }

  /**
   * A call that needs one of the server's sessions. The server frees a session slightly later than we see the end of
   * its command, and does not notify us. So the call retries.
   */
  async #inPlace<Value>(start: (done: (error: Error | undefined, value: Value) => void) => void): Promise<Value> {
    for (const end = Date.now() + PLACE_LIMIT_MS; ; await delay(PLACE_AGAIN_MS)) {
      try {
        return await this.#call(start);
      } catch (error) {
        const why = error instanceof MurmurError && error.cause instanceof Error ? error.cause.message : '';
        if (this.lost.aborted || !why.includes('open failed')) throw error;
        if (Date.now() > end) throw tooFewSessions(this.host, error);
      }
    }
  }

  /** One call of ssh2, tied to the connection. */
  async #call<Value>(start: (done: (error: Error | undefined, value: Value) => void) => void): Promise<Value> {
    if (this.lost.aborted) throw this.lost.reason;
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    const done = (error: Error | undefined, value: Value): void => {
      if (error === undefined) resolve(value);
      else reject(new MurmurError('UNAVAILABLE', `host ${this.host}: ${error.message}`, { cause: error }));
    };
    try {
      start(done);
    } catch (error) {
      // ssh2 throws when it has just closed the connection.
      reject(errorOf(this.#target, error));
    }
    return await this.untilLost(promise);
  }
}

/** How far ssh2 had come when it failed. */
type Level = 'handshake' | 'client-authentication' | 'client-timeout' | 'client-socket' | 'agent' | undefined;

function errorOf(target: SshTarget, reason: unknown): MurmurError {
  if (reason instanceof MurmurError) return reason;
  const message = reason instanceof Error ? reason.message : String(reason);
  const level = (reason as { readonly level?: Level } | undefined)?.level;
  if (level === 'client-authentication' || level === 'agent') {
    return rejectedLogin(target, message, reason);
  }
  return new MurmurError('UNAVAILABLE', `the connection to host ${target.host} is lost: ${message}`, { cause: reason });
}

function rejectedLogin({ host, user, keyFile, agent }: SshTarget, message: string, cause: unknown): MurmurError {
  const agents = agent === undefined ? 'no key' : 'the keys of the ssh agent';
  const key = keyFile === undefined ? agents : `the key ${keyFile}`;
  const hint =
    keyFile === undefined
      ? 'give the host a key_file in murmur.yaml, or start an ssh agent with its key'
      : `add the public key to ~/.ssh/authorized_keys of ${user} there, or correct user or key_file in murmur.yaml`;
  return new MurmurError('FAILED_PRECONDITION', `host ${host} rejects the login of ${user} with ${key}: ${message}`, {
    hint,
    cause,
  });
}

function tooFewSessions(host: string, cause: unknown): MurmurError {
  const seconds = String(PLACE_LIMIT_MS / 1_000);
  const message = `the ssh server of host ${host} has allowed no further session within ${seconds} s`;
  return new MurmurError('UNAVAILABLE', message, {
    hint: 'set MaxSessions in the sshd_config of that host to 10, its default, or higher',
    cause,
  });
}
