// State of the machine that outlives sessions of the agent program: git on both sides, the broker, the secrets.
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { agentFilePath, removeAgentFile, writeAgentFile } from './agent-file.ts';
import { PortRelay } from './port-relay.ts';
import { BrokerAccess } from './broker/access.ts';
import type { HttpRoute } from './broker/access.ts';
import { Broker } from './broker/broker.ts';
import { HttpCredentials } from './broker/http/credentials.ts';
import { GitProxy } from './broker/http/git-proxy.ts';
import type { GitProxyAddress } from './broker/http/git-proxy.ts';
import { proxyRoutes, rewritingRoutes } from './broker/http/git-routes.ts';
import { writeScripts } from './broker/scripts.ts';
import type { WrittenScripts } from './broker/scripts.ts';
import type { Isolation } from './isolation/port.ts';
import { agentEnvironment, agentGitConfig, credentialsIn, proxyPasswords, usesProxy } from './git/agent-environment.ts';
import { CallerGit } from './git/caller-git.ts';
import type { ConfigEntry } from './git/caller-git.ts';
import { formatConfig, shellWord } from './git/config-file.ts';
import { parseGitUrl } from '../contract/wire/git-url.ts';
import type { GitAccess, OpenRequest } from '../contract/wire/runner.ts';
import type { Journal } from './journal/journal.ts';
import type { MachinePaths } from './machine-paths.ts';
import { makePassable, requireFolder } from './run-folder.ts';
import { Scrubber } from './secrets/scrubber.ts';
import { makeDirectory } from './workspace/checkout.ts';

/** A shorter password may be an ordinary word. Scrubbing it would only damage texts. */
const SCRUBBED_PASSWORD = 8;

export interface MachineContextOptions {
  readonly machine: string;
  readonly paths: MachinePaths;
  readonly containment: Isolation;
  readonly journal: Journal;
  /** The caller's environment, in which the runner was started. */
  readonly callerEnv: NodeJS.ProcessEnv;
  /** Absolute path of node, for the scripts that git starts. */
  readonly node: string;
}

export class MachineContext {
  readonly paths: MachinePaths;
  readonly containment: Isolation;
  readonly journal: Journal;
  readonly scrubber = new Scrubber();
  readonly relay: PortRelay;
  readonly git: CallerGit;
  readonly scripts: WrittenScripts;
  /** Environment of git and of the agent's processes, without secrets. */
  readonly env: Readonly<Record<string, string>>;
  /** Folder for files of the agent program. Only the runner writes there. */
  readonly agentRun: string;
  readonly clones: string;
  readonly #access = new BrokerAccess();
  readonly #proxy: GitProxy;
  readonly #broker: Broker;
  readonly #callerEnv: NodeJS.ProcessEnv;
  readonly #gitConfig: string;
  readonly #gitRelay: PortRelay;

  /** Writes scripts and directories. `run` must be new, and no process of the agent may run yet. */
  constructor(options: MachineContextOptions) {
    const { paths, containment, machine, callerEnv } = options;
    const { user } = containment;
    this.paths = paths;
    this.containment = containment;
    this.journal = options.journal;
    this.clones = paths.clones;
    this.#callerEnv = callerEnv;
    this.relay = new PortRelay(paths.relay);
    this.git = new CallerGit(callerEnv, machine);
    this.#gitRelay = new PortRelay(paths.gitRelay);
    for (const directory of [paths.home, paths.work]) makeDirectory(directory, user);
    this.agentRun = path.join(paths.run, 'agent');
    makePassable(this.agentRun);
    this.scripts = writeScripts(paths.run, options.node);
    this.#gitConfig = path.join(paths.run, 'bin', 'gitconfig');
    const agentFile = agentFilePath(this.agentRun);
    this.env = agentEnvironment({ machine, home: paths.home, gitConfig: this.#gitConfig, agentFile, callerEnv });
    const access = this.#access;
    const credentials = new HttpCredentials(this.git, (secret) => this.#scrubPassword(secret));
    this.#proxy = new GitProxy({ git: this.git, access, credentials });
    this.#broker = new Broker({
      run: paths.run,
      runner: paths.runner,
      user,
      git: this.git,
      access,
      proxy: this.#proxy,
    });
  }

  /** Opens the broker's socket. */
  async listen(): Promise<void> {
    await this.#broker.listen();
  }

  /**
   * Writes the agent's file, which says to every program of the machine who the agent is and where Murmur is reached,
   * also during a turn. The values of the request's secrets are scrubbed from then on.
   */
  async tellAgent(request: OpenRequest): Promise<void> {
    const { env, secret_names: names, api } = request;
    this.scrubber.add(
      Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))),
    );
    const relayPort = api === undefined ? undefined : await this.relay.relayTo(api);
    await writeAgentFile(this.agentRun, request, relayPort, this.containment.user);
  }

  /**
   * Makes the broker serve exactly these repositories and those of the grants. Writes the configuration of the agent's
   * git.
   */
  async allowRemotes(cloneUrls: readonly string[], grants: readonly string[] = []): Promise<void> {
    const caller = await this.git.config();
    this.#access.serve(cloneUrls, grants, caller);
    const passwords = cloneUrls.map((url) => parseGitUrl(url).password);
    for (const secret of [...passwords, ...credentialsIn(caller), ...proxyPasswords(this.git.env)]) {
      this.#scrubPassword(secret);
    }
    const routes = await this.#httpRoutes();
    const config = formatConfig([...routes, ...agentGitConfig(caller, this.git.env, this.scripts)]);
    replaceFile(this.#gitConfig, config);
  }

  /** The same where the broker is on another host; git of this host's login takes no part in it. */
  async askBroker({ server, pass, http, config }: GitAccess): Promise<void> {
    this.scrubber.add({ GIT_BROKER_PASS: pass });
    this.#broker.askInstead({ server, pass });
    const port = http === undefined ? 0 : await this.#gitRelay.relayTo(server, `http ${pass}\n`);
    const routes = http === undefined ? [] : this.#routesTo({ ...http, port }, http.routes);
    const { GIT_SSL_CAINFO } = this.#callerEnv;
    const own = agentGitConfig(config, GIT_SSL_CAINFO === undefined ? {} : { GIT_SSL_CAINFO }, this.scripts);
    replaceFile(this.#gitConfig, formatConfig([...routes, ...own]));
    const { 'git-upload-pack': uploadPack } = this.scripts.local;
    // Neither the agent's home nor the login's: both could hold settings for git or curl.
    const env = { ...this.env, HOME: this.paths.runner, GIT_CONFIG_NOSYSTEM: '1' };
    this.git.askThrough({ env, uploadPack: shellWord(uploadPack) });
  }

  async #httpRoutes(): Promise<readonly ConfigEntry[]> {
    const routes = this.#access.httpRoutes();
    if (routes.length === 0) return [];
    return this.#routesTo(await this.#proxy.serve(routes.map(({ to }) => to)), routes);
  }

  #routesTo(address: GitProxyAddress, routes: readonly HttpRoute[]): readonly ConfigEntry[] {
    this.scrubber.add({ GIT_BROKER_KEY: address.key });
    if (usesProxy(this.env)) return rewritingRoutes(routes, address);
    const caFile = path.join(path.dirname(this.#gitConfig), 'git-broker.pem');
    replaceFile(caFile, address.certificate);
    return proxyRoutes(routes, address, caFile);
  }

  /** Dollars spent according to the session's cost events. */
  spentUsd(): number {
    return this.journal.spentUsd;
  }

  /** Journals that the agent program ended without a request. */
  onProgramDeath(reason: string): void {
    this.journal.tryAppend({ type: 'session_end', reason: this.scrubber.text(reason) });
  }

  /** Ends the caller's git commands, then the agent's processes. Last gives up the ports: no process needs them then. */
  async close(endAgent: () => Promise<void>): Promise<void> {
    this.git.endAll();
    await this.#broker.endRequests();
    await endAgent();
    await removeAgentFile(this.agentRun);
    await Promise.all([this.relay.close(), this.#gitRelay.close(), this.#broker.close()]);
  }

  #scrubPassword(password: string): void {
    if (password.length >= SCRUBBED_PASSWORD) this.scrubber.add({ GIT_PASSWORD: password });
  }
}

/** Replaces the file atomically: the agent's git may be reading the old one. */
function replaceFile(file: string, text: string): void {
  requireFolder(path.dirname(file));
  rmSync(file, { force: true });
  writeFileSync(file, text, { flag: 'wx', mode: 0o644 });
}
