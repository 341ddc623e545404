import { describe, expect, it } from '@jest/globals';
import { BrokerAccess } from '../../../runner/broker/access.ts';
import { readRequest, sshArguments } from '../../../runner/broker/request.ts';

const access = new BrokerAccess();
access.serve(
  [
    'git@forge.example:o/r.git',
    'https://user:secret@web.example/o/r',
    '/srv/git/r.git',
    "forge.example:it's",
    'ssh://me@other.example:2200/~/mine%20too',
    'https://ci.example/o/r',
  ],
  ['granted.example/team', 'https://only.example/'],
  [
    { key: 'url.ssh://git@mirror.example:2222/.insteadof', value: 'git@forge.example:' },
    { key: 'url.https://bot:token@ci.example/.insteadof', value: 'https://ci.example/' },
  ],
);

describe('ssh through the broker', () => {
  it.each([
    ['as git calls it', ['-o', 'SendEnv=GIT_PROTOCOL', 'git@forge.example', "git-upload-pack 'o/r.git'"]],
    ['with the default port', ['-p', '22', 'git@forge.example', "git-receive-pack 'o/r.git'"]],
    ['to where the caller sends it', ['-p', '2222', 'git@mirror.example', "git-upload-pack '/o/r'"]],
    ['with a quoted quote', ['forge.example', "git-upload-pack 'it'\\''s'"]],
    ['of a home on another port', ['-p', '2200', 'me@other.example', "git-receive-pack '~/mine too'"]],
    ['of a repository that a person allowed', ['git@granted.example', "git-upload-pack 'team/x.git'"]],
  ])('is allowed %s', (_, args) => {
    expect(sshArguments(args, access)).toEqual(args);
  });

  it.each([
    ['another repository of the host', ['git@forge.example', "git-upload-pack 'o/other'"]],
    ['a path around the corner', ['git@forge.example', "git-upload-pack 'o/r.git/../other'"]],
    ['another user of the host', ['root@forge.example', "git-upload-pack 'o/r.git'"]],
    ['a path beside the allowed one', ['git@granted.example', "git-upload-pack 'team2/x.git'"]],
    ['another host', ['git@evil.example', "git-upload-pack 'o/r.git'"]],
    ['another port', ['-p', '2022', 'git@forge.example', "git-upload-pack 'r'"]],
    ['another program', ['git@forge.example', 'cat /etc/passwd']],
    ['a second command', ['git@forge.example', "git-upload-pack 'r'; id"]],
    ['a command in a substitution', ['git@forge.example', 'git-upload-pack "$(id)"']],
    ['a second line', ['git@forge.example', "git-upload-pack 'r'\nid"]],
    ['an option', ['-o', 'ProxyCommand=id', 'git@forge.example', "git-upload-pack 'r'"]],
    ['an option of git with another value', ['-o', 'SendEnv=*', 'git@forge.example', "git-upload-pack 'r'"]],
    ['a forwarding', ['-L', '1:h:2', 'git@forge.example', "git-upload-pack 'r'"]],
    ['a host that is an option', ['-oProxyCommand=id', "git-upload-pack 'r'"]],
    ['no command', ['git@forge.example']],
    ['a third word', ['git@forge.example', "git-upload-pack 'r'", 'id']],
  ])('is rejected for %s', (_, args) => {
    expect(sshArguments(args, access)).toHaveProperty('refused');
  });
});

describe('what the broker serves', () => {
  it('includes the repositories of the session over http, with the credentials of their URLs', () => {
    const credential = { username: 'user', password: 'secret' };
    expect(access.upstream('https://web.example/o/r')).toEqual({ url: 'https://web.example/o/r', credential });
    expect(access.upstream('https://WEB.example:443/o/r.git')).toMatchObject({ credential });
  });

  it("includes repositories that a person allowed, with the credentials that the owner's git adds by rewriting", () => {
    expect(access.upstream('https://granted.example/team/x')).toEqual({ url: 'https://granted.example/team/x' });
    expect(access.upstream('https://only.example/any/thing')).toBeDefined();
    expect(access.upstream('https://ci.example/o/r')).toMatchObject({
      credential: { username: 'bot', password: 'token' },
    });
  });

  it.each([
    'https://web.example/o/other',
    'https://web.example/o/r/../other',
    'https://web.example/o',
    'https://web.example:8443/o/r',
    'http://web.example/o/r',
    'https://granted.example/teams/x',
    'https://granted.example/team/../x',
    'http://only.example/x',
    'ssh://web.example/o/r',
  ])('does not include %s', (url) => {
    expect(access.upstream(url)).toBeUndefined();
  });

  it.each(['', 'x', '[]', '{"kind":"other"}', '{"kind":"credential","action":"get"}', '{"kind":1}'])(
    'excludes the invalid request %j',
    (line) => {
      expect(readRequest(line)).toBeUndefined();
    },
  );

  it("accepts only git's protocol versions", () => {
    expect(readRequest('{"kind":"ssh","args":[],"protocol":"version=2"}')).toMatchObject({ protocol: 'version=2' });
    expect(readRequest('{"kind":"ssh","args":[],"protocol":"version=2; id"}')).toMatchObject({ protocol: '' });
  });
});
