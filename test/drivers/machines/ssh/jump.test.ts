// A host behind another one: two servers of OpenSSH on the loopback, and the owner's own ssh in between.
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveHost } from '../../../../drivers/machines/ssh/resolve.ts';
import { startLoginHost, whyNoLoginHost } from '../../../fixtures/ssh-machines/login-host.ts';
import { serveSshOrigin } from '../../../runner/broker/ssh-origin.ts';
import { atEnd, cleanUp, makeFolder } from '../../../runner/fixture.ts';
import { sshMachines } from './ssh-machines.ts';

jest.setTimeout(90_000);

const LIMIT_MS = 60_000;
const missing = await whyNoLoginHost();
if (missing !== undefined) console.warn(`no host is reached through another one in these tests: ${missing}`);

afterEach(cleanUp);

/** Gates by name, in the configuration of an ssh that is first on the PATH. */
async function gates(named: Readonly<Record<string, readonly string[]>>): Promise<{ readonly PATH: string }> {
  const folder = makeFolder();
  const lines: string[] = [];
  const known: string[] = [];
  for (const [name, settings] of Object.entries(named)) {
    mkdirSync(join(folder, name));
    const { port, user, keys } = await serveSshOrigin(join(folder, name), settings);
    lines.push(`Host ${name}`, 'HostName 127.0.0.1', `Port ${String(port)}`, `User ${user}`);
    lines.push(`IdentityFile ${keys.user}`, 'IdentitiesOnly yes', `UserKnownHostsFile ${join(folder, 'known')}`);
    known.push(`[127.0.0.1]:${String(port)} ${readFileSync(`${keys.host}.pub`, 'utf8')}`);
  }
  writeFileSync(join(folder, 'known'), known.join(''));
  writeFileSync(join(folder, 'config'), `${lines.join('\n')}\n`);
  // ssh reads the configuration of the user that runs it, not of HOME. It starts itself for the first of two gates.
  mkdirSync(join(folder, 'bin'));
  const script = `#!/bin/sh\nexec /usr/bin/ssh -F ${join(folder, 'config')} "$@"\n`;
  writeFileSync(join(folder, 'bin', 'ssh'), script, { mode: 0o755 });
  return { PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}` };
}

(missing === undefined ? describe : describe.skip)('a host behind another one', () => {
  async function machineThrough(jump: string, env: { readonly PATH: string }) {
    const host = await startLoginHost();
    atEnd(() => Promise.resolve(host[Symbol.asyncDispose]()));
    const { port, user, keyFile, hostKey, node } = host;
    const settings = { host: '127.0.0.1', port, user, key_file: keyFile, host_key: hostKey, jump };
    const target = await resolveHost(settings, env);
    const under = sshMachines([{ target: () => target, node }]);
    atEnd(() => Promise.resolve(under[Symbol.asyncDispose]()));
    const options = { signal: AbortSignal.timeout(LIMIT_MS), requestId: 'murmur-701' };
    await under.provider.create({ name: 'murmur-701', labels: {} }, options);
    return await under.provider.connect('murmur-701');
  }

  it.each(['gate', 'gate,second'])('has machines through %s: commands, files and connections', async (jump) => {
    const machine = await machineThrough(jump, await gates({ gate: [], second: [] }));
    await machine.put(join(machine.paths.work, 'note'), 'through the gate');
    const { stdout } = await machine.exec('cat', ['note'], { timeoutMs: LIMIT_MS });
    expect(stdout).toBe('through the gate');
    await expect(machine.dial(1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('is not reached past a gate that lets nobody through, which is named', async () => {
    const env = await gates({ closed: ['AllowTcpForwarding no'] });
    await expect(machineThrough('closed', env)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('through closed'),
    });
  });
});
