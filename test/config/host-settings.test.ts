import { describe, expect, it } from '@jest/globals';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_AGENT_LIMITS, loadHostSettings } from '../../config/host-settings.ts';
import { loadConfig } from '../../config/config.ts';
import { loadProject } from '../../config/project.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';

/** A MURMUR_HOME with this murmur.yaml. */
async function homeWith(content: string): Promise<AsyncDisposable & { path: string; file: string }> {
  const folder = await temporaryFolder();
  const file = join(folder.path, 'murmur.yaml');
  await writeFile(file, content);
  return { path: folder.path, file, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

describe('the settings of the host', () => {
  it('are the defaults without a file', async () => {
    await using folder = await temporaryFolder();
    expect(await loadHostSettings({ root: folder.path }, '/home/jane')).toEqual({
      environment: { provider: 'local' },
      limits: DEFAULT_AGENT_LIMITS,
      show: [],
    });
  });

  it('are those of the file, with defaults for the rest', async () => {
    await using home = await homeWith('limits:\n  processes: 64\n  uploads_mb: 5\nshow:\n  - /opt/tools/\n');
    const { host } = await loadConfig({ MURMUR_HOME: home.path }, { cwd: '/' });
    expect(host).toEqual({
      environment: { provider: 'local' },
      limits: { ...DEFAULT_AGENT_LIMITS, processes: 64, uploads_mb: 5 },
      show: ['/opt/tools'],
    });
  });

  it("expand `~/` in a path to the owner's HOME", async () => {
    await using home = await homeWith('show: [~/tools, "~/.config/x/"]');
    const { host } = await loadConfig({ MURMUR_HOME: home.path, HOME: '/home/jane' }, { cwd: '/' });
    expect(host.show).toEqual(['/home/jane/tools', '/home/jane/.config/x']);
  });

  it.each([
    ['limit: {}', '"limit"', '{}'],
    ['workspace: team', '"workspace"', '"team"'],
    ['limits: 7', 'limits', '7'],
    ['limits: { cores: 2 }', '"limits.cores"', '2'],
    ['limits: { processes: 0 }', 'limits.processes', '0'],
    ['limits: { memory_mb: 1.5 }', 'limits.memory_mb', '1.5'],
    ['limits: { disk_mb: "20GB" }', 'limits.disk_mb', '"20GB"'],
    ['limits: { shm_mb: 10000000000 }', 'limits.shm_mb', '10000000000'],
    ['show: /opt', 'show', '"/opt"'],
    ['show: [tools]', 'show', '"tools"'],
    ['show: [~bob/tools]', 'show', '"~bob/tools"'],
  ])('reject %j and name file, key and value', async (content, key, value) => {
    await using home = await homeWith(content);
    const failure = await loadHostSettings({ root: home.path }, '/home/jane').catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT' });
    for (const part of [home.file, key, value]) expect((failure as Error).message).toContain(part);
  });

  it('never show MURMUR_HOME', async () => {
    await using home = await homeWith('');
    for (const path of [home.path, `${home.path}/secrets`, `${home.path}/x/../secrets`, '~/secrets']) {
      await writeFile(home.file, `show: [${path}]`);
      await expect(loadHostSettings({ root: home.path }, home.path)).rejects.toMatchObject({
        message: expect.stringContaining('never shown'),
      });
    }
  });
});

describe('a project', () => {
  it.each(['limits: { processes: 100000 }', 'show: [/root]'])(
    'cannot set %j, and the error says who can',
    async (content) => {
      await using folder = await temporaryFolder();
      await mkdir(join(folder.path, '.murmur'));
      for (const name of ['murmur.yaml', 'murmur.local.yaml']) {
        await writeFile(join(folder.path, '.murmur', name), content);
        await expect(loadProject(folder.path, '/elsewhere')).rejects.toMatchObject({
          code: 'INVALID_ARGUMENT',
          message: expect.stringContaining('cannot be set by a repository'),
          hint: expect.stringContaining('MURMUR_HOME'),
        });
        await writeFile(join(folder.path, '.murmur', name), '');
      }
    },
  );

  it('may have its settings in the same file as the host, only in MURMUR_HOME', async () => {
    await using folder = await temporaryFolder();
    const home = join(folder.path, '.murmur');
    await mkdir(home);
    await writeFile(join(home, 'murmur.yaml'), 'workspace: team\nlimits: { processes: 64 }\n');
    await symlink(folder.path, join(folder.path, 'link'));
    for (const cwd of [folder.path, join(folder.path, 'link')]) {
      const config = await loadConfig({ MURMUR_HOME: home }, { cwd });
      expect(config.workspace).toBe('team');
      expect(config.host.limits.processes).toBe(64);
    }
  });
});
