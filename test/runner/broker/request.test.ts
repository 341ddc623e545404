import { describe, expect, it } from '@jest/globals';
import { BrokerAccess } from '../../../runner/broker/access.ts';
import { localArguments, readRequest, sshArguments } from '../../../runner/broker/request.ts';

const access = new BrokerAccess();
access.allow('git@forge.example:o/r.git', [
  { key: 'url.ssh://git@mirror.example:2222/.insteadof', value: 'git@forge.example:' },
]);
access.allow('https://user:secret@web.example/o/r', []);
access.allow('/srv/git/r.git', []);

describe('ssh through the broker', () => {
  it.each([
    ['as git calls it', ['-o', 'SendEnv=GIT_PROTOCOL', 'git@forge.example', "git-upload-pack 'o/r.git'"]],
    ['with the default port', ['-p', '22', 'git@forge.example', "git-receive-pack 'o/r.git'"]],
    ['to where the caller sends it', ['-p', '2222', 'git@mirror.example', "git-upload-pack '/o/r'"]],
    ['with a quoted quote', ['forge.example', "git-upload-pack 'it'\\''s'"]],
    ['to another repository of the host', ['git@forge.example', "git-upload-archive 'other'"]],
  ])('is allowed %s', (_, args) => {
    expect(sshArguments(args, access)).toEqual(args);
  });

  it.each([
    ['another host', ['git@evil.example', "git-upload-pack 'r'"]],
    ['another port', ['-p', '2022', 'git@forge.example', "git-upload-pack 'r'"]],
    ['another program', ['git@forge.example', 'cat /etc/passwd']],
    ['a second command', ['git@forge.example', "git-upload-pack 'r'; id"]],
    ['a command in a substitution', ['git@forge.example', 'git-upload-pack "$(id)"']],
    ['a line of its own', ['git@forge.example', "git-upload-pack 'r'\nid"]],
    ['an option', ['-o', 'ProxyCommand=id', 'git@forge.example', "git-upload-pack 'r'"]],
    ['an option of git with a value of its own', ['-o', 'SendEnv=*', 'git@forge.example', "git-upload-pack 'r'"]],
    ['a forwarding', ['-L', '1:h:2', 'git@forge.example', "git-upload-pack 'r'"]],
    ['a host that is an option', ['-oProxyCommand=id', "git-upload-pack 'r'"]],
    ['no command', ['git@forge.example']],
    ['a third word', ['git@forge.example', "git-upload-pack 'r'", 'id']],
  ])('is refused for %s', (_, args) => {
    expect(sshArguments(args, access)).toHaveProperty('refused');
  });
});

describe('a repository on disk through the broker', () => {
  it('is served by git', () => {
    expect(localArguments({ service: 'git-receive-pack', args: ['/srv/git/r.git'] }, access)).toEqual([
      'receive-pack',
      '/srv/git/r.git',
    ]);
  });

  it.each([
    ['another path', 'git-receive-pack', ['/srv/git/other.git']],
    ['a path around the corner', 'git-receive-pack', ['/srv/git/r.git/../other.git']],
    ['an option', 'git-receive-pack', ['--help']],
    ['another program', 'git-shell', ['/srv/git/r.git']],
    ['more words', 'git-upload-pack', ['/srv/git/r.git', '--x']],
  ])('is refused for %s', (_, service, args) => {
    expect(localArguments({ service, args }, access)).toHaveProperty('refused');
  });
});

describe('what the broker serves', () => {
  it('keeps scheme, host and port apart', () => {
    expect(access.allowsHttp('https', 'web.example')).toBe(true);
    expect(access.allowsHttp('https', 'WEB.example:443')).toBe(true);
    expect(access.allowsHttp('http', 'web.example')).toBe(false);
    expect(access.allowsHttp('https', 'web.example:8443')).toBe(false);
    expect(access.allowsHttp('ssh', 'forge.example')).toBe(false);
  });

  it('has the credentials of the URL', () => {
    expect(access.credentialOf('https', 'web.example')).toEqual({ username: 'user', password: 'secret' });
  });

  it.each(['', 'x', '[]', '{"kind":"other"}', '{"kind":1}'])('is not asked by %j', (line) => {
    expect(readRequest(line)).toBeUndefined();
  });

  it('takes no protocol but those of git', () => {
    expect(readRequest('{"kind":"ssh","args":[],"protocol":"version=2"}')).toMatchObject({ protocol: 'version=2' });
    expect(readRequest('{"kind":"ssh","args":[],"protocol":"version=2; id"}')).toMatchObject({ protocol: '' });
  });
});
