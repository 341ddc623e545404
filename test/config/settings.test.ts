import { describe, expect, it } from '@jest/globals';
import { mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { accountOfUser } from '../../contract/wire/identity.ts';
import { loadSettings } from '../../config/settings.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';

const STACK = {
  version: '0.1.0',
  supervisor: { pid: 1 },
  temporal: { address: '127.0.0.1:7', namespace: 'default' },
  server: { url: 'http://127.0.0.1:5' },
  worker: {},
  started_at: '2026-11-21T00:00:00.000Z',
};

describe('loadSettings', () => {
  it('has defaults for everything', async () => {
    await using folder = await temporaryFolder();
    const settings = await loadSettings({ MURMUR_HOME: folder.path }, { cwd: folder.path });
    expect(settings).toEqual({
      home: expect.objectContaining({ root: folder.path }),
      workspace: 'default',
      account: accountOfUser(userInfo().username),
    });
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it('prefers flag, environment, local file and shared file, in this order', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, '.murmur'));
    const env = (more: Readonly<Record<string, string>> = {}) => ({ MURMUR_HOME: join(folder.path, 'home'), ...more });
    const workspace = async (variables: Readonly<Record<string, string>>, flag?: string): Promise<string> =>
      (await loadSettings(variables, { cwd: folder.path, flags: { workspace: flag } })).workspace;
    await writeFile(join(folder.path, '.murmur', 'murmur.yaml'), 'workspace: shared');
    expect(await workspace(env())).toBe('shared');
    await writeFile(join(folder.path, '.murmur', 'murmur.local.yaml'), 'workspace: local');
    expect(await workspace(env())).toBe('local');
    expect(await workspace(env({ MURMUR_WORKSPACE: 'variable' }))).toBe('variable');
    expect(await workspace(env({ MURMUR_WORKSPACE: 'variable' }), 'flag')).toBe('flag');
  });

  it.each([
    [{ MURMUR_WORKSPACE: 'Not A Label' }, '"Not A Label"'],
    [{ MURMUR_API_URL: 'localhost:5' }, '"localhost:5"'],
    [{ MURMUR_API_URL: 'ftp://x' }, '"ftp://x"'],
  ])('rejects %j and quotes the value', async (variables, quoted) => {
    await using folder = await temporaryFolder();
    const settings = loadSettings({ MURMUR_HOME: folder.path, ...variables }, { cwd: folder.path });
    await expect(settings).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(quoted),
    });
  });

  it("has the address of the embedded stack and its owner's token", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'stack.json'), JSON.stringify(STACK));
    await writeFile(join(folder.path, 'token'), 'the-token\n');
    expect(await loadSettings({ MURMUR_HOME: folder.path }, { cwd: folder.path })).toMatchObject({
      apiUrl: 'http://127.0.0.1:5',
      token: 'the-token',
    });
  });

  it('prefers server and token of the environment', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'stack.json'), JSON.stringify(STACK));
    const env = { MURMUR_HOME: folder.path, MURMUR_API_URL: 'https://murmur.example/', MURMUR_TOKEN: 'mine' };
    expect(await loadSettings(env, { cwd: folder.path })).toMatchObject({
      apiUrl: 'https://murmur.example',
      token: 'mine',
    });
  });

  it.each(['', '{"server":', '[]', '{"server":{}}', 'null'])(
    'treats a stack file with %j as a stack that does not run',
    async (content) => {
      await using folder = await temporaryFolder();
      await writeFile(join(folder.path, 'stack.json'), content);
      const settings = await loadSettings({ MURMUR_HOME: folder.path }, { cwd: folder.path });
      expect(settings).not.toHaveProperty('apiUrl');
    },
  );
});

describe('on the machine of an agent', () => {
  const AGENT = { agent: 'w/default/u/tess/a', token: 'of-the-agent', api_url: 'http://127.0.0.1:7' };

  it("server and token are those of the agent's file, unless the environment names others", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'murmur.json');
    await writeFile(join(folder.path, 'stack.json'), JSON.stringify(STACK));
    await writeFile(join(folder.path, 'token'), 'the-token\n');
    await writeFile(file, JSON.stringify(AGENT));
    const env = { MURMUR_HOME: folder.path, MURMUR_AGENT_FILE: file };
    const source = { cwd: folder.path };
    expect(await loadSettings(env, source)).toMatchObject({ apiUrl: AGENT.api_url, token: AGENT.token });
    const named = { ...env, MURMUR_API_URL: 'https://murmur.example', MURMUR_TOKEN: 'mine' };
    expect(await loadSettings(named, source)).toMatchObject({ apiUrl: 'https://murmur.example', token: 'mine' });
  });

  it.each(['', undefined])(
    'no token is known while the file is %j: the machine is not for any agent yet',
    async (content) => {
      await using folder = await temporaryFolder();
      const file = join(folder.path, 'murmur.json');
      if (content !== undefined) await writeFile(file, content);
      const settings = await loadSettings({ MURMUR_HOME: folder.path, MURMUR_AGENT_FILE: file }, { cwd: folder.path });
      expect(settings).not.toHaveProperty('apiUrl');
      expect(settings).not.toHaveProperty('token');
    },
  );
});
