import { describe, expect, it } from '@jest/globals';
import { directoryNames, parseGitUrl, redactUrl, redactUrls, repositoryName } from '../../../runner/git/url.ts';

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
  ])('%s is read as git reads it', (url, parts) => {
    expect(parseGitUrl(url)).toMatchObject(parts);
  });

  it.each([
    ['https://token@github.com/o/r', 'https://github.com/o/r'],
    ['https://user:token@github.com/o/r', 'https://github.com/o/r'],
    ['ssh://git:pw@host/r', 'ssh://git@host/r'],
    ['git@host:o/r', 'git@host:o/r'],
    ['/srv/a@b', '/srv/a@b'],
  ])('%s is shown as %s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
  });

  it('is shown without credentials in the words of git', () => {
    expect(redactUrls("fatal: 'https://u:tok@h/r' and http://tok@h2/ failed")).toBe(
      "fatal: 'https://h/r' and http://h2/ failed",
    );
  });

  it.each([
    ['https://h/o/my repo.git', 'my repo'],
    ['git@h:r.git', 'r'],
    ['/srv/übung.git/', 'übung'],
    ['/srv/project/.git', 'project'],
    ['/srv/-dash', '-dash'],
    ['https://h/..', 'repository'],
    ['https://h/', 'repository'],
    [`/srv/${'é'.repeat(300)}`, 'é'.repeat(120)],
  ])('%s is checked out into %s', (url, name) => {
    expect(repositoryName(url)).toBe(name);
  });

  it('gets a directory of its own', () => {
    expect(directoryNames(['/a/r', '/b/R.git', '/c/r', '/d/s'])).toEqual(['r', 'R-2', 'r-3', 's']);
  });
});
