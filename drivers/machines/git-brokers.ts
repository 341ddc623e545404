// Git for machines on other hosts: each machine's broker runs in this process. The runners reach all brokers through
// one port, which is exposed to their hosts. No credential leaves this host.
import { createHash, randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { GitAccess, ServerAddress } from '../../contract/wire/runner.ts';
import { BrokerAccess } from '../../runner/broker/access.ts';
import { Broker } from '../../runner/broker/broker.ts';
import { firstLine } from '../../runner/broker/first-line.ts';
import { HttpCredentials } from '../../runner/broker/http/credentials.ts';
import { GitProxy } from '../../runner/broker/http/git-proxy.ts';
import { sharedGitConfig } from '../../runner/git/agent-environment.ts';
import { CallerGit } from '../../runner/git/caller-git.ts';
import { NewestConnections } from '../../runner/identity/newest-connections.ts';
import { checkPlace } from '../../runner/repositories/check-place.ts';
import type { GitWanted } from './provider.ts';

/**
 * Connections that may wait before they have sent a pass. Every process of this host can connect, and so can every
 * process of the hosts to which the port is exposed. A runner sends its pass first. Above this number, the connection
 * that has waited longest is closed.
 */
const UNAUTHENTICATED = 128;
const UNAUTHENTICATED_MS = 10_000;
/** Characters of the first line: a kind and a pass of 64 characters. */
const LONGEST_LINE = 128;

export interface GitBrokersOptions {
  /** MURMUR_HOME/machines. Repositories there are not served, because agents of this host can write them. */
  readonly machines: string;
  /** The caller's environment: git's configuration, credential helpers, ssh agent. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What a machine's runner needs, besides the address at which its host reaches the port. */
export interface ServedGit {
  /** On this host. */
  readonly server: ServerAddress;
  readonly access: Omit<GitAccess, 'server'>;
}

interface MachineGit {
  readonly pass: string;
  readonly git: CallerGit;
  readonly access: BrokerAccess;
  readonly proxy: GitProxy;
  readonly broker: Broker;
}

export class GitBrokers implements AsyncDisposable {
  readonly #options: GitBrokersOptions;
  readonly #machines = new Map<string, MachineGit>();
  /** By the digest of the pass, so that the duration of a look-up reveals nothing about the pass. */
  readonly #passes = new Map<string, MachineGit>();
  /** Connections that have not sent a pass. */
  readonly #unauthenticated = new NewestConnections(UNAUTHENTICATED, UNAUTHENTICATED_MS);
  #listening: Promise<Server> | undefined;

  constructor(options: GitBrokersOptions) {
    this.#options = options;
  }

  /** Serves exactly these repositories to the machine's agent. The first call opens a free port of 127.0.0.1. */
  async serve(machine: string, { repos, grants }: GitWanted): Promise<ServedGit> {
    await Promise.all(repos.map(checkPlace));
    this.#listening ??= this.#listen();
    const { port } = (await this.#listening).address() as AddressInfo;
    const { git, access, proxy, pass } = this.#machines.get(machine) ?? this.#make(machine);
    const caller = await git.config();
    access.serve(
      repos.map(({ clone_url }) => clone_url),
      grants,
      caller,
    );
    const routes = access.httpRoutes();
    const http = routes.length === 0 ? undefined : { ...proxy.answerFor(routes.map(({ to }) => to)), routes };
    const config = sharedGitConfig(caller, git.env);
    return {
      server: { host: '127.0.0.1', port },
      access: { pass, config, ...(http === undefined ? {} : { http }) },
    };
  }

  /** Stops serving the machine and ends the git processes that run for it. No-op for a machine that is not served. */
  async drop(machine: string): Promise<void> {
    const served = this.#machines.get(machine);
    if (served === undefined) return;
    this.#machines.delete(machine);
    this.#passes.delete(digestOf(served.pass));
    served.git.endAll();
    await served.broker.close();
    await rm(this.#folderOf(machine), { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = await this.#listening?.catch(() => undefined);
    server?.close();
    this.#unauthenticated.closeAll();
    await Promise.all([...this.#machines.keys()].map((machine) => this.drop(machine)));
  }

  #make(machine: string): MachineGit {
    const git = new CallerGit({ ...this.#options.env }, machine);
    const access = new BrokerAccess();
    // The credentials never reach the machine's events, so there is nothing to scrub.
    const proxy = new GitProxy({ git, access, credentials: new HttpCredentials(git, () => undefined) });
    const folder = this.#folderOf(machine);
    const broker = new Broker({ run: folder, runner: folder, user: undefined, git, access, proxy });
    const made = { pass: randomBytes(32).toString('hex'), git, access, proxy, broker };
    this.#machines.set(machine, made);
    this.#passes.set(digestOf(made.pass), made);
    return made;
  }

  /** The folder for git's configuration when a repository is on this host. Machine names never begin with a dot. */
  #folderOf(machine: string): string {
    return join(this.#options.machines, '.git', machine);
  }

  async #listen(): Promise<Server> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => void this.#admit(socket));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
    try {
      await promise;
    } catch (error) {
      // The host may have had no free file handle: the next call tries again.
      this.#listening = undefined;
      throw error;
    }
    // Accepting can fail when file handles run out; only that connection is lost.
    server.on('error', () => undefined);
    return server;
  }

  async #admit(socket: Socket): Promise<void> {
    socket.on('error', () => socket.destroy());
    this.#unauthenticated.add(socket);
    const line = await firstLine(socket, LONGEST_LINE).catch(() => '');
    this.#unauthenticated.release(socket);
    const [, kind, pass = ''] = /^(http|socket) ([0-9a-f]+)$/.exec(line) ?? [];
    const served = this.#passes.get(digestOf(pass));
    if (served === undefined || socket.destroyed) return void socket.destroy();
    if (kind === 'http') served.proxy.accept(socket);
    else served.broker.accept(socket);
  }
}

function digestOf(pass: string): string {
  return createHash('sha256').update(pass).digest('hex');
}
