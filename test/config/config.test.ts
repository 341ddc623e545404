import { describe, expect, it } from '@jest/globals';
import { chmod, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../config/config.ts';
import { problemsOf } from '../../config/preflight.ts';
import { dropCredentials } from '../../config/model-credentials.ts';
import { claudeVersionProblem, compareVersions, findClaude } from '../../config/programs.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';

describe('loadConfig', () => {
  it('is frozen, and names the task queue by the id of the host', async () => {
    await using folder = await temporaryFolder();
    const config = await loadConfig({ MURMUR_HOME: folder.path }, { cwd: folder.path });
    expect(Object.isFrozen(config)).toBe(true);
    expect(config.taskQueue).toBe(`murmur-${config.hostId}`);
    expect((await loadConfig({ MURMUR_HOME: folder.path }, { cwd: folder.path })).taskQueue).toBe(config.taskQueue);
  });

  it("uses the installation's key in a file that the environment names", async () => {
    await using folder = await temporaryFolder();
    const env = { MURMUR_HOME: folder.path };
    expect((await loadConfig(env, { cwd: folder.path })).signingKeyFile).toBeUndefined();
    const named = await loadConfig({ ...env, MURMUR_SIGNING_KEY_FILE: '/run/key' }, { cwd: folder.path });
    expect(named.signingKeyFile).toBe('/run/key');
  });

  it('has no Temporal before the embedded stack was started', async () => {
    await using folder = await temporaryFolder();
    const { temporal } = await loadConfig({ MURMUR_HOME: folder.path }, { cwd: folder.path });
    expect(temporal).toEqual({ external: false, address: undefined, namespace: 'default', connectionOptions: {} });
  });

  it('uses a cluster that the environment names, with its key', async () => {
    await using folder = await temporaryFolder();
    const env = { TEMPORAL_ADDRESS: 'cluster:7', TEMPORAL_NAMESPACE: 'team', TEMPORAL_API_KEY: 'key' };
    const { temporal } = await loadConfig({ MURMUR_HOME: folder.path, ...env }, { cwd: folder.path });
    expect(temporal).toMatchObject({
      external: true,
      address: 'cluster:7',
      namespace: 'team',
      connectionOptions: { address: 'cluster:7', apiKey: 'key', tls: true },
    });
  });

  it('does not treat a namespace in the environment, left by another project, as a cluster', async () => {
    await using folder = await temporaryFolder();
    const env = { MURMUR_HOME: folder.path, TEMPORAL_NAMESPACE: 'team' };
    expect((await loadConfig(env, { cwd: folder.path })).temporal).toMatchObject({ external: false });
  });

  it('says why the settings of a cluster cannot be read', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'temporal.toml'), 'profile = [');
    const env = { MURMUR_HOME: folder.path, TEMPORAL_CONFIG_FILE: join(folder.path, 'temporal.toml') };
    await expect(loadConfig(env, { cwd: folder.path })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it.each([
    [{ MURMUR_API_PORT: '70000' }, 'MURMUR_API_PORT', '"70000"'],
    [{ MURMUR_TEMPORAL_PORT: 'any' }, 'MURMUR_TEMPORAL_PORT', '"any"'],
    [{ MURMUR_ISOLATION: 'docker' }, 'MURMUR_ISOLATION', '"docker"'],
  ])('rejects %j and names variable and value', async (variables, name, value) => {
    await using folder = await temporaryFolder();
    const failure = loadConfig({ MURMUR_HOME: folder.path, ...variables }, { cwd: folder.path });
    await expect(failure).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(name) });
    await expect(failure).rejects.toMatchObject({ message: expect.stringContaining(value) });
  });

  it('has the credentials of the model after they were removed from the environment', async () => {
    await using folder = await temporaryFolder();
    const env: Record<string, string | undefined> = {
      MURMUR_HOME: folder.path,
      ANTHROPIC_API_KEY: 'key',
      ANTHROPIC_BASE_URL: 'http://model',
      TEMPORAL_API_KEY: 'temporal',
      HOME: '/home/jane',
    };
    const { modelCredentials } = await loadConfig(env, { cwd: folder.path });
    dropCredentials(env);
    expect(modelCredentials).toEqual({ ANTHROPIC_API_KEY: 'key', ANTHROPIC_BASE_URL: 'http://model' });
    expect(env).toEqual({ MURMUR_HOME: folder.path, HOME: '/home/jane' });
  });
});

describe('findClaude', () => {
  it('prefers MURMUR_CLAUDE to PATH and resolves links', async () => {
    await using folder = await temporaryFolder();
    const [onPath, chosen] = [join(folder.path, 'claude'), join(folder.path, 'chosen')];
    for (const program of [onPath, chosen]) {
      await writeFile(program, '#!/bin/sh\n');
      await chmod(program, 0o755);
    }
    await symlink(chosen, join(folder.path, 'link'));
    expect(findClaude({ PATH: `/nowhere:${folder.path}` })).toBe(onPath);
    expect(findClaude({ PATH: folder.path, MURMUR_CLAUDE: join(folder.path, 'link') })).toBe(chosen);
    expect(findClaude({ PATH: '/nowhere' })).toBeUndefined();
    expect(findClaude({ PATH: folder.path, MURMUR_CLAUDE: join(folder.path, 'missing') })).toBeUndefined();
  });

  it('ignores folders and files that are not executable', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'claude'), '', { mode: 0o644 });
    expect(findClaude({ PATH: folder.path })).toBeUndefined();
    expect(findClaude({ MURMUR_CLAUDE: folder.path })).toBeUndefined();
  });
});

describe('the tested range of claude', () => {
  it.each(['2.1.328 (Claude Code)', '2.1.999'])('includes %j', (printed) => {
    expect(claudeVersionProblem(printed)).toBeUndefined();
  });
  it.each(['2.1.327 (Claude Code)', '2.2.0', '1.9.0', 'no version'])(
    'excludes %j, and the warning names it',
    (printed) => {
      expect(claudeVersionProblem(printed)).toContain('2.1.328');
    },
  );
  it('compares numbers, not texts', () => {
    expect(compareVersions('2.1.1000', '2.1.328')).toBeGreaterThan(0);
    expect(compareVersions('2.1.328', '2.1.328')).toBe(0);
  });
});

describe('problemsOf', () => {
  it('reports every problem at once, each with its fix', async () => {
    await using folder = await temporaryFolder();
    const env = { MURMUR_HOME: folder.path, PATH: '/nowhere' };
    const problems = await problemsOf(await loadConfig(env, { cwd: folder.path }), env);
    expect(problems.map(({ severity, message }) => [severity, message])).toEqual([
      ['error', 'git is not on PATH'],
      ['error', 'claude is not on PATH'],
      ['error', expect.stringContaining('ANTHROPIC_API_KEY')],
    ]);
    for (const { fix } of problems) expect(fix).not.toBe('');
  });

  it('only warns about a claude outside the tested range', async () => {
    await using folder = await temporaryFolder();
    const claude = join(folder.path, 'claude');
    await writeFile(claude, '#!/bin/sh\necho 9.9.9\n', { mode: 0o755 });
    const env = { MURMUR_HOME: folder.path, PATH: process.env['PATH'], MURMUR_CLAUDE: claude, ANTHROPIC_API_KEY: 'k' };
    const problems = await problemsOf(await loadConfig(env, { cwd: folder.path }), env);
    expect(problems).toEqual([
      { severity: 'warning', message: expect.stringContaining('9.9.9'), fix: expect.stringMatching(/./) },
    ]);
  });

  it('names a MURMUR_CLAUDE that is not a program', async () => {
    await using folder = await temporaryFolder();
    const env = { MURMUR_HOME: folder.path, PATH: process.env['PATH'], MURMUR_CLAUDE: '/no/such/claude' };
    const problems = await problemsOf(await loadConfig(env, { cwd: folder.path }), env);
    expect(problems[0]?.message).toContain('/no/such/claude');
  });
});
