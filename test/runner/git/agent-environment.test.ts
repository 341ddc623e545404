import { describe, expect, it } from '@jest/globals';
import { agentEnvironment, agentGitConfig } from '../../../runner/git/agent-environment.ts';

const SCRIPTS = { credential: '/run/credential', ssh: '/run/ssh' };

function configOf(...entries: readonly (readonly [string, string])[]): Record<string, string> {
  const caller = entries.map(([key, value]) => ({ key, value }));
  return Object.fromEntries(agentGitConfig(caller, { USER: 'jane' }, SCRIPTS).map(({ key, value }) => [key, value]));
}

describe("the configuration of the agent's git", () => {
  it.each([
    ['http.https://ci.example/.extraheader', 'AUTHORIZATION: basic c2VjcmV0'],
    ['http.extraheader', 'PRIVATE-TOKEN: secret'],
    ['http.cookiefile', '/home/jane/cookies'],
    ['http.proxy', 'http://jane:secret@proxy.example'],
    ['http.https://ci.example/.proxy', 'http://jane:secret@proxy.example'],
    ['http.sslkey', '/home/jane/key.pem'],
    ['url.https://jane:secret@ci.example/.insteadof', 'https://ci.example/'],
    ['url.https://secret@ci.example/.insteadof', 'https://ci.example/'],
    ['url.https://ci.example/?token=secret&.insteadof', 'ci:'],
    ['credential.https://ci.example.helper', '!echo password=secret'],
    ['include.path', '/home/jane/secret'],
    ['core.hookspath', '/home/jane/hooks'],
    ['alias.x', '!secret'],
  ])('excludes %s', (key, value) => {
    const config = configOf([key, value]);
    expect(config).not.toHaveProperty([key]);
    expect(JSON.stringify(config)).not.toMatch(/secret|jane\/|c2VjcmV0/);
  });

  it('has URL shortcuts without credentials, and the listed settings', () => {
    const config = configOf(
      ['url.https://jane:secret@ci.example/.insteadof', 'ci:'],
      ['url.git@forge.example:.insteadof', 'https://forge.example/'],
      ['core.autocrlf', 'input'],
      ['filter.lfs.process', 'git-lfs filter-process'],
      ['user.name', 'Jane'],
    );
    expect(config).toMatchObject({
      'url.https://ci.example/.insteadof': 'ci:',
      'url.git@forge.example:.insteadof': 'https://forge.example/',
      'core.autocrlf': 'input',
      'filter.lfs.process': 'git-lfs filter-process',
      'user.name': 'Jane',
    });
  });
});

describe("the environment of the agent's processes", () => {
  const environmentOf = (callerEnv: NodeJS.ProcessEnv) =>
    agentEnvironment({ machine: 'm', home: '/home', gitConfig: '/config', agentFile: '/agent.json', callerEnv });

  it('has proxies without their passwords', () => {
    const env = environmentOf({
      HTTPS_PROXY: 'http://jane:se%40cret@proxy.example:3128/',
      http_proxy: 'jane:secret@proxy.example:3128',
      ALL_PROXY: 'socks5h://proxy.example',
      NO_PROXY: '.example',
    });
    expect(env).toMatchObject({
      HTTPS_PROXY: 'http://proxy.example:3128/',
      http_proxy: 'proxy.example:3128',
      ALL_PROXY: 'socks5h://proxy.example',
      NO_PROXY: '.example',
    });
    expect(JSON.stringify(env)).not.toContain('cret');
  });

  it('has only listed variables', () => {
    const env = environmentOf({ PATH: '/bin', SECRET: 'x', GIT_ASKPASS: 'x', SSH_AUTH_SOCK: 'x', NO_PROXY: '*' });
    expect(Object.keys(env).sort()).toEqual(
      [
        'GIT_CONFIG_GLOBAL',
        'GIT_TERMINAL_PROMPT',
        'HOME',
        'LOGNAME',
        'MURMUR_AGENT_FILE',
        'MURMUR_MACHINE',
        'PATH',
        'USER',
      ].sort(),
    );
  });
});
