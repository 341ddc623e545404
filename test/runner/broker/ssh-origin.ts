// OpenSSH's server on a loopback port that accepts one key, with keys created for the test.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { atEnd } from '../fixture.ts';

/** Where distributions install sshd, which is rarely on PATH. */
const PLACES = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd'];
const START_LIMIT_MS = 20_000;

/** Why there can be no ssh server on this host; undefined when there can. */
export function sshdProblem(): string | undefined {
  if (!PLACES.some((place) => existsSync(place))) return 'openssh-server is not installed';
  return undefined;
}

export interface SshOrigin {
  readonly port: number;
  readonly user: string;
  /** `GIT_SSH_COMMAND` with which the caller's git can log in. */
  readonly command: string;
  /** Private keys, each with its public one beside it. */
  readonly keys: { readonly host: string; readonly user: string };
  /** Before the test's end. */
  stop(): Promise<void>;
}

/** Another user than that of the tests, for a server that only this user logs in to. */
export interface SshLogin {
  readonly name: string;
  readonly uid: number;
  /** Words before a command that make it run as this user. */
  readonly as: readonly string[];
}

/**
 * Serves this host's files to the key that it makes, until the test's end.
 * @param settings further lines of the configuration
 * @param login whose server it is, and who logs in; the user of the tests unless given
 */
export async function serveSshOrigin(
  folder: string,
  settings: readonly string[] = [],
  login?: SshLogin,
): Promise<SshOrigin> {
  const place = path.join(folder, 'sshd');
  mkdirSync(place, { mode: 0o700 });
  const key = (name: string): string => {
    const file = path.join(place, name);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
    return file;
  };
  const [hostKey, userKey] = [key('host'), key('user')];
  const port = await freePort();
  const config = path.join(place, 'sshd_config');
  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${userKey}.pub`,
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'StrictModes no',
    'PermitRootLogin yes',
    'AcceptEnv GIT_PROTOCOL',
    `PidFile ${path.join(place, 'pid')}`,
    ...settings,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  // The server needs this folder for privilege separation. A host without a running sshd does not have it.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  if (login !== undefined) for (const each of [place, hostKey, `${userKey}.pub`]) chownSync(each, login.uid, login.uid);
  const sshd = PLACES.find((each) => existsSync(each)) ?? 'sshd';
  const [program = sshd, ...words] = [...(login?.as ?? []), sshd, '-D', '-e', '-f', config];
  const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  };
  atEnd(stop);
  for (const end = Date.now() + START_LIMIT_MS; !(await answers(port)); await delay(10)) {
    if (Date.now() > end || child.exitCode !== null) throw new Error(`sshd did not start: ${log}`);
  }
  const command = `ssh -F /dev/null -i '${userKey}' -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`;
  return { port, user: login?.name ?? userInfo().username, command, keys: { host: hostKey, user: userKey }, stop };
}

async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
