import { describe, expect, it } from '@jest/globals';
import {
  gitUrlProblem,
  isSameRemote,
  isSameServer,
  localPath,
  parseGitUrl,
  redactUrl,
  redactUrls,
} from '../../../contract/wire/git-url.ts';

describe('a clone URL', () => {
  it.each([
    ['https://github.com/o/r.git', { kind: 'http', host: 'github.com', port: '', path: '/o/r.git' }],
    ['http://u:p%40w@Host:8080/r', { kind: 'http', host: 'host', port: '8080', user: 'u', password: 'p@w' }],
    ['ssh://git@host:2222/o/r', { kind: 'ssh', host: 'host', port: '2222', user: 'git' }],
    ['git@host:o/r.git', { kind: 'ssh', host: 'host', port: '', user: 'git', path: 'o/r.git' }],
    ['host:r', { kind: 'ssh', host: 'host', path: 'r' }],
    ['ssh://[::1]:22/r', { kind: 'ssh', host: '[::1]', port: '22' }],
    ['git@[::1]:r', { kind: 'ssh', host: '[::1]', path: 'r' }],
    ['/srv/git/r.git', { kind: 'local', path: '/srv/git/r.git' }],
    ['/srv/odd:name', { kind: 'local', path: '/srv/odd:name' }],
    ['./a:b', { kind: 'local' }],
    ['file:///srv/r.git', { kind: 'local', path: '/srv/r.git' }],
    ['git://host/r', { kind: 'other', host: 'host' }],
    // The following was observed with git 2.39 and curl 7.88.
    ['https://github.com\\@127.0.0.1/x', { kind: 'http', host: '127.0.0.1', user: 'github.com\\', path: '/x' }],
    ['https://a@b@h/x', { kind: 'http', host: 'h', user: 'a@b' }],
    ['https://u:p@h@x/y@z', { kind: 'http', host: 'x', user: 'u', password: 'p@h', path: '/y@z' }],
    ['a@b@h:y', { kind: 'ssh', host: 'h', user: 'a@b' }],
    ['ssh://git%40evil/x@host/y', { kind: 'other' }],
    ['file://a%2fb/c', { kind: 'other' }],
    ['FILE:///srv/r', { kind: 'other' }],
    ['ext::sh -c id', { kind: 'other' }],
    ['[git@h:22]:p', { kind: 'local' }],
    ['https://H.Example./r', { kind: 'http', host: 'h.example.' }],
  ])('%s is parsed the way git does', (url, parts) => {
    expect(parseGitUrl(url)).toMatchObject(parts);
  });

  it.each([
    ['https://token@github.com/o/r', 'https://github.com/o/r'],
    ['https://user:token@github.com/o/r', 'https://github.com/o/r'],
    ['ssh://git:pw@host/r', 'ssh://git@host/r'],
    ['git@host:o/r', 'git@host:o/r'],
    ['/srv/a@b', '/srv/a@b'],
    ['https://to@ken@github.com/o@r', 'https://github.com/o@r'],
  ])('%s is shown as %s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
  });

  it("is shown without credentials in git's output", () => {
    expect(redactUrls("fatal: 'https://u:tok@h/r' and http://tok@h2/ and ssh://g:a@b@h/r failed")).toBe(
      "fatal: 'https://h/r' and http://h2/ and ssh://g@h/r failed",
    );
  });

  it.each([
    ['file:///srv/a%20b/%2e%2e/c', '/srv/c'],
    ['/srv//a%20b/./c/', '/srv/a%20b/c'],
    ['/../etc', '/etc'],
  ])('%s has the local path %s', (url, path) => {
    expect(localPath(parseGitUrl(url))).toBe(path);
  });
});

describe('the check of a clone URL', () => {
  it.each([
    'https://github.com/o/r.git',
    'https://github.com:8443/o/r?x=y',
    'https://bücher.example/r',
    'http://[::1]:80/r',
    'ssh://git@host:22/~me/r',
    'git://host/r',
    'git@[::1]:r',
    'host:r@v',
    'file:///srv/a%20b',
    'file://localhost/srv/x',
    '/srv/a@b/c::d',
    '/srv/a;b',
    'file:///srv/a;b',
  ])('accepts %s', (url) => {
    expect(gitUrlProblem(url)).toBeUndefined();
  });

  it.each([
    ['https://github.com\\@127.0.0.1/x', 'backslash'],
    ['https://github.com\\/x', 'backslash'],
    ['https://a@b@h/x', 'second "@"'],
    ['ssh://git@a@h/x', 'second "@"'],
    ['https://a\tb/x', 'control character'],
    ['https://a\u00a0b/x', 'space'],
    ['https://github.com%2f@h/x', 'carries credentials'],
    ['https://@h/x', 'carries credentials'],
    ['https://:@h/x', 'carries credentials'],
    ['https://git%68ub.com/x', 'percent-encoding'],
    ['ssh://git%40evil/x@host/y', 'percent-encoding'],
    ['https://h?@x/y', 'carries credentials'],
    ['https://h?x/y', 'host'],
    ['https://h#x/y', 'host'],
    ['https:///x', 'no host'],
    ['https://h:99999/x', 'port'],
    ['https://h:8o/x', 'host'],
    ['https://[::1/x', 'host'],
    ['https://h/o/..;/x', '";"'],
    ['https://h/o/..%3B/x', '";"'],
    ['ssh://git@h/o/..;/x', '";"'],
    ['git@h:o/..;/x', '";"'],
    ['ssh://-oProxyCommand=x/y', 'host'],
    ['ssh://-x@h/y', 'user'],
    ['git://u@h/y', 'user'],
    ['u@-h:x', 'use https://'],
    ['a@b@h:y', 'use https://'],
    ['@h:y', 'use https://'],
    ['[git@h:22]:p', 'use https://'],
    ['h:', 'use https://'],
    ['ext::sh', 'remote helpers'],
    ['::https://h/x', 'remote helpers'],
    ['HTTPS://h/x', 'over "HTTPS:"'],
    ['git+ssh://h/x', 'over "git+ssh:"'],
    ['file://host/srv/x', 'file:///'],
    ['file://~/x', 'file:///'],
    ['file:///a%0ab', 'control character'],
    ['file:///a%ff', 'UTF-8'],
  ])('refuses %s: %s', (url, words) => {
    expect(gitUrlProblem(url)).toContain(words);
  });

  it('does not repeat anything that can be a password', () => {
    for (const url of ['https://u:hunter2@h/x', 'https://u:hun/ter2@h/x', 'ssh://u:hunter2@a@h/x']) {
      expect(gitUrlProblem(url)).not.toMatch(/hun|ter2/);
    }
  });
});

describe('two URLs', () => {
  it.each([
    ['https://h/x', 'https://h/x.git'],
    ['https://h/x', 'https://H:443/x/'],
    ['http://h/x', 'http://h:080/x.git/'],
    ['git@h:o/r', 'ssh://git@h/o/r.git'],
    ['git@h:o/r', 'ssh://git@h:22/o/r'],
    ['git@h:o/r', 'git+ssh://git@h/o/r'],
    ['h:/srv/x', 'ssh://h/srv/x'],
  ])('%s and %s name the same repository', (one, other) => {
    expect(isSameRemote(one, other)).toBe(true);
  });

  it.each([
    ['https://h/x', 'http://h/x'],
    ['https://h/x', 'https://h:8443/x'],
    ['https://h/x', 'https://h./x'],
    ['https://h/x', 'https://h/X'],
    ['https://h/x', 'https://h/x/y'],
    ['https://h/x', 'https://h/%78'],
    ['https://h/x', 'https://h/a/../x'],
    ['https://h/x', 'git@h:x'],
    ['git@h:x', 'root@h:x'],
    // A path without a leading slash is relative to the user's home.
    ['jane@h:srv/x', 'ssh://jane@h/srv/x'],
    ['/srv/x', '/srv/x'],
    ['https://k.example/x', 'https://\u212a.example/x'],
  ])('%s and %s do not', (one, other) => {
    expect(isSameRemote(one, other)).toBe(false);
  });

  it.each([
    ['https://h/a', 'https://H:443/b', true],
    ['http://h/a', 'https://h/a', true],
    ['https://h/a', 'http://h/a', false],
    ['http://h:8080/a', 'https://h/a', false],
    ['http://h/a', 'https://h:8443/a', false],
    ['https://h/a', 'https://h.evil/a', false],
    ['https://h/a', 'ssh://h/a', false],
  ])('%s may lead to %s as the same server: %s', (from, to, isSame) => {
    expect(isSameServer(from, to)).toBe(isSame);
  });
});
