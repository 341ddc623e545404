// What `doctor` finds on hosts that are reached by ssh.
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DEFAULT_AGENT_LIMITS } from '../../config/host-settings.ts';
import type { SshHostSettings } from '../../config/environment-settings.ts';
import type { Config } from '../../config/config.ts';
import { hostChecks } from '../../stack/doctor/hosts.ts';
import { startLoginHost, whyNoLoginHost } from '../fixtures/ssh-machines/login-host.ts';
import { atEnd, cleanUp, makeFolder } from '../runner/fixture.ts';

jest.setTimeout(90_000);

const OTHER_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';
const missing = await whyNoLoginHost();
if (missing !== undefined) console.warn(`no host is reached by ssh in these tests: ${missing}`);

afterEach(cleanUp);

const configOf = (hosts: readonly SshHostSettings[]): Pick<Config, 'host'> => ({
  host: {
    environment: { provider: 'ssh', hosts },
    limits: DEFAULT_AGENT_LIMITS,
    show: [],
  } as unknown as Config['host'],
});

/** A server that takes connections and says nothing. */
async function silentPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(async () => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function strangersKey(): string {
  const file = join(makeFolder(), 'id');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  return file;
}

(missing === undefined ? describe : describe.skip)('doctor', () => {
  it('says of each host what is there or what keeps agents from it, all within the time of one', async () => {
    const host = await startLoginHost();
    atEnd(() => Promise.resolve(host[Symbol.asyncDispose]()));
    const { port, user, keyFile: key_file, hostKey: host_key, node } = host;
    const whole = { host: '127.0.0.1', port, user, key_file, host_key, node };
    const hosts: readonly SshHostSettings[] = [
      whole,
      { ...whole, host_key: OTHER_KEY },
      { ...whole, key_file: '/nowhere' },
      { ...whole, key_file: strangersKey() },
      { ...whole, port: 9 },
      { ...whole, port: await silentPort() },
      { ...whole, port: await silentPort() },
    ];
    const limitMs = 15_000;
    const began = performance.now();
    const checks = await hostChecks(configOf(hosts), { env: process.env, oldestGit: '2.32.0', limitMs });
    expect(performance.now() - began).toBeLessThan(limitMs + 5_000);
    const [fine, ...others] = checks.filter(({ message }) => !message.startsWith('claude is not'));
    expect(fine).toMatchObject({ name: 'host 127.0.0.1', state: 'ok' });
    expect(fine?.message).toContain(`${user} logs in at 127.0.0.1:${String(port)}; Node at ${node}, git 2`);
    expect(fine?.message).toMatch(/namespaces/);
    expect(others.map(({ state, message, fix }) => [state, message, fix])).toEqual([
      ['problem', expect.stringContaining('shows another key'), expect.stringContaining('host_key')],
      ['problem', expect.stringContaining('/nowhere'), expect.stringContaining('key_file')],
      ['problem', expect.stringContaining('rejects the login'), expect.stringContaining('key_file')],
      ['problem', expect.stringContaining('ECONNREFUSED'), expect.stringContaining('`ssh 127.0.0.1 true`')],
      ['problem', expect.stringContaining('has not answered within 15 s'), expect.any(String)],
      ['problem', expect.stringContaining('has not answered within 15 s'), expect.any(String)],
    ]);
  });

  it('says of a login that cannot be used what is wrong with it and what to do', async () => {
    const noHome = await startLoginHost({ home: 'absent' });
    atEnd(() => Promise.resolve(noHome[Symbol.asyncDispose]()));
    const foreign = await startLoginHost({ home: 'not its own' });
    atEnd(() => Promise.resolve(foreign[Symbol.asyncDispose]()));
    const oneSession = await startLoginHost({ settings: ['MaxSessions 1'] });
    atEnd(() => Promise.resolve(oneSession[Symbol.asyncDispose]()));
    const hosts = [noHome, foreign, oneSession].map(({ port, user, keyFile, hostKey, node }) => {
      return { host: '127.0.0.1', port, user, key_file: keyFile, host_key: hostKey, node };
    });
    const stranger = { ...hosts[0], host: '127.0.0.1', key_file: strangersKey() };
    const checks = await hostChecks(configOf([...hosts, stranger]), { env: process.env, oldestGit: '2.32.0' });
    expect(checks.map(({ message, fix }) => [message, fix])).toEqual([
      [`the login on host 127.0.0.1 has no home: ${noHome.home} is not there`, expect.stringContaining('create')],
      [
        `host 127.0.0.1: ${foreign.home}/.murmur cannot be written: Permission denied`,
        'let the login write there, and make room on that disk',
      ],
      [expect.stringContaining('allowed no further session'), expect.stringContaining('MaxSessions')],
      [
        expect.stringContaining(`rejects the login of ${noHome.user} with the key ${stranger.key_file}`),
        expect.stringContaining('authorized_keys'),
      ],
    ]);
  });

  it('says nothing of hosts where agents run on this one', async () => {
    const config = { host: { environment: { provider: 'local' } } } as unknown as Pick<Config, 'host'>;
    expect(await hostChecks(config, { env: process.env, oldestGit: '2.32.0' })).toEqual([]);
  });
});
