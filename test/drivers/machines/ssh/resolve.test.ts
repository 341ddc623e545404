import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fingerprintOf, readHostKey } from '../../../../drivers/machines/ssh/host-key.ts';
import { resolveHost } from '../../../../drivers/machines/ssh/resolve.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';

describe('a host of the configuration', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let env: { HOME: string; PATH: string | undefined };
  beforeEach(async () => {
    folder = await temporaryFolder();
    env = { HOME: folder.path, PATH: process.env['PATH'] };
    await mkdir(join(folder.path, '.ssh'), { mode: 0o700 });
  });
  afterEach(async () => {
    await folder[Symbol.asyncDispose]();
  });

  it('is used as written, with the pinned key', async () => {
    const settings = { host: '192.0.2.1', user: 'ci', port: 2222, key_file: '/keys/id', host_key: KEY };
    const target = await resolveHost(settings, env);
    expect(target).toMatchObject({ host: '192.0.2.1', user: 'ci', keyFile: '/keys/id' });
    expect(target.transport.description).toBe('192.0.2.1:2222');
    expect(target.hostKeys).toEqual([readHostKey(KEY)]);
    expect(target.hostKeys.map(({ blob }) => fingerprintOf(blob))).toEqual([
      'SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU',
    ]);
  });

  it('is reached through a configured jump host', async () => {
    const target = await resolveHost({ host: '192.0.2.1', jump: 'jane@gate', host_key: KEY }, env);
    expect(target.transport.description).toBe('192.0.2.1:22 through jane@gate');
  });

  it('is refused when the configuration of ssh reaches it by a command, and says what to write instead', async () => {
    await writeFile(join(folder.path, '.ssh', 'config'), 'ProxyCommand nc %h %p\n');
    const config = { ...env, PATH: await sshWith(folder.path, join(folder.path, '.ssh', 'config')) };
    const settings = { host: '192.0.2.1', host_key: KEY };
    await expect(resolveHost(settings, config)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      hint: expect.stringContaining('jump'),
    });
    expect((await resolveHost({ ...settings, jump: 'gate' }, config)).transport.description).toContain('through gate');
  });

  it('uses the agent where there is one and no key is named', async () => {
    const target = await resolveHost({ host: '192.0.2.1', host_key: KEY }, { ...env, SSH_AUTH_SOCK: '/run/agent' });
    expect(target).toMatchObject({ agent: '/run/agent' });
    expect(target.keyFile).toBeUndefined();
  });

  it('is rejected without a known key, and the hint says how to pin one', async () => {
    await expect(resolveHost({ host: '192.0.2.1' }, env)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      hint: expect.stringContaining('host_key'),
    });
    await expect(resolveHost({ host: '192.0.2.1', host_key: 'ssh-ed25519 AAAA' }, env)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
    });
  });

  it('gets its key from a known_hosts file', async () => {
    const file = join(folder.path, 'known');
    await writeFile(file, `[192.0.2.1]:2222 ${KEY}\n`);
    await writeFile(join(folder.path, '.ssh', 'config'), `UserKnownHostsFile ${file}\n`);
    // ssh reads the configuration of its user, not of HOME.
    const config = { ...env, PATH: await sshWith(folder.path, join(folder.path, '.ssh', 'config')) };
    const target = await resolveHost({ host: '192.0.2.1', port: 2222 }, config);
    expect(target.hostKeys).toEqual([readHostKey(KEY)]);
  });
});

/** A PATH whose ssh reads this configuration. */
async function sshWith(folder: string, config: string): Promise<string> {
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin', 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F ${config} "$@"\n`, { mode: 0o755 });
  return `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`;
}
