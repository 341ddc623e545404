// An https server with a repository, an owner whose git has access to it, and an agent that works on it.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeCertificate } from '../../../runner/broker/http/certificate.ts';
import { BrokerAccess } from '../../../runner/broker/access.ts';
import { HttpCredentials } from '../../../runner/broker/http/credentials.ts';
import { GitProxy, KEY_HEADER } from '../../../runner/broker/http/git-proxy.ts';
import { CallerGit } from '../../../runner/git/caller-git.ts';
import { atEnd, bash, callerEnv, eventsUpTo, git, makeFolder, makeOrigin, openRequest, runTurn } from '../fixture.ts';
import { startProcess } from '../runner-process.ts';
import type { RunnerProcess } from '../runner-process.ts';
import { serveHttpOrigin } from './http-origin.ts';
import type { HttpOrigin, HttpOriginOptions } from './http-origin.ts';

export const PASSWORD = 'correct-horse-battery';
export const TOKEN = 'token-of-the-owner-0123456789';
/** Commits and pushes more than git sends at once, so that it streams. */
export const WORK =
  'head -c 3000000 /dev/urandom > noise && git add -A && git commit -qm work && git push -q origin HEAD && git fetch -q';

export interface Setup {
  readonly folder: string;
  readonly origins: string;
  readonly origin: string;
  readonly server: HttpOrigin;
  readonly url: string;
  /** File with the server's certificate, which is also valid for `forge.example`. */
  readonly ca: string;
  /** Writes a file in the owner's home and returns its path. */
  readonly write: (name: string, text: string) => string;
}

/** An https server with a repository `project.git` and one `other.git`, and an owner whose git trusts it. */
export async function setup(options: HttpOriginOptions = {}): Promise<Setup> {
  const folder = makeFolder();
  const origins = path.join(folder, 'origins');
  const home = path.join(folder, 'caller');
  mkdirSync(origins);
  mkdirSync(home);
  const origin = await makeOrigin(origins);
  await git(origin, 'config', 'http.receivepack', 'true');
  await git(origins, 'clone', '--quiet', '--bare', origin, 'other.git');
  const tls = makeCertificate(['127.0.0.1', 'forge.example']);
  const server = await serveHttpOrigin(origins, 'jane', PASSWORD, { ...options, tls: { ...tls, ...options.tls } });
  const write = (name: string, text: string): string => {
    writeFileSync(path.join(home, name), text, { mode: 0o600 });
    return path.join(home, name);
  };
  const ca = write('ca.pem', tls.cert);
  const url = `https://127.0.0.1:${server.port}/project.git`;
  write(
    '.gitconfig',
    `[user]\n\tname = Jane\n\temail = jane@example.com\n[http "${new URL(url).origin}"]\n\tsslCAInfo = ${ca}\n`,
  );
  return { folder, origins, origin, server, url, ca, write };
}

export function configure({ folder, write }: Setup, text: string): void {
  write('.gitconfig', `${readFileSync(path.join(folder, 'caller', '.gitconfig'), 'utf8')}${text}`);
}

export function withStore(each: Setup): void {
  configure(each, '[credential]\n\thelper = store\n');
  each.write('.git-credentials', `https://jane:${PASSWORD}@127.0.0.1%3a${each.server.port}\n`);
}

export async function opened(
  { folder, url }: Setup,
  more: Record<string, string> = {},
  grants: readonly string[] = [],
) {
  const runner = await startProcess({ folder, env: callerEnv(path.join(folder, 'caller'), more) });
  await runner.client.open(openRequest({ repos: [{ clone_url: url, branch: 'work' }], allow_repos: grants }));
  return runner;
}

/** Only the broker's proxy, in this process, with the owner's git. */
export async function broker({ folder }: Setup, url: string) {
  const git = new CallerGit(callerEnv(path.join(folder, 'caller')), 'murmur-00000000');
  const access = new BrokerAccess();
  access.serve([url], [], await git.config());
  const proxy = new GitProxy({ git, access, credentials: new HttpCredentials(git, () => undefined) });
  const { port, key } = await proxy.serve([url]);
  atEnd(async () => {
    git.endAll();
    await proxy.close();
  });
  const place = `http://127.0.0.1:${port}/${url.replace('://', '/')}`;
  /** Requests an endpoint of the repository as the agent's git does. */
  const ask = async (endpoint: string, more: RequestInit = {}) => {
    const answer = await fetch(`${place}${endpoint}`, { ...more, headers: { [KEY_HEADER]: key, ...more.headers } });
    return { status: answer.status, text: await answer.text() };
  };
  return { git, ask };
}

export async function run(runner: RunnerProcess, turn: string, command: string) {
  const { end_seq, outcome } = await runTurn(runner, turn, bash(command));
  const events = await eventsUpTo(runner.client, end_seq);
  return { outcome, text: JSON.stringify(events) };
}

export function agentConfig({ paths }: RunnerProcess): string {
  return readFileSync(path.join(paths.run, 'bin', 'gitconfig'), 'utf8');
}
