import { afterEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { cookieHeader } from '../../../runner/broker/http/cookies.ts';
import { isExempt, proxyFor } from '../../../runner/broker/http/route.ts';
import { httpSettings } from '../../../runner/broker/http/settings.ts';
import { gitHttpRequest } from '../../../runner/broker/http/target.ts';
import { parseConfigList } from '../../../runner/git/caller-git.ts';
import { cleanUp, makeFolder } from '../fixture.ts';

afterEach(cleanUp);

const CONFIG = `
[http]
  proxy = http://general.example
[http "https://host.example"]
  proxy = http://host-wide.example
[http "https://host.example/team"]
  proxy = http://team.example
[http "https://host.example/te"]
  proxy = http://no-segment.example
[http "https://*.wild.example"]
  proxy = http://wild.example
[http "https://a.wild.example"]
  proxy = http://exact.example
[http "https://jane@user.example"]
  proxy = http://jane.example
[http "https://port.example:8443/"]
  proxy = http://port.example
`;

describe("the owner's settings for a URL", () => {
  it.each([
    'https://other.example/x',
    'https://host.example/x',
    'https://host.example/team/x.git',
    'https://host.example/teams/x',
    'http://host.example/team/x',
    'https://b.wild.example/x',
    'https://a.wild.example/x',
    'https://a.b.wild.example/x',
    'https://user.example/x',
    'https://jane@user.example/x',
    'https://port.example/x',
    'https://port.example:8443/x',
    'https://HOST.example:443/team',
  ])('for %s are those that git uses', (url) => {
    const file = path.join(makeFolder(), 'config');
    writeFileSync(file, CONFIG);
    const git = (...args: string[]) => execFileSync('git', ['config', '--file', file, ...args]).toString();
    const settings = httpSettings({ url }, parseConfigList(git('--list', '-z')), {});
    expect(settings.proxy).toBe(git('--get-urlmatch', 'http.proxy', url).trim());
  });

  it('include every header after the last empty one', () => {
    const list = ['A: 1', '', 'B: 2', 'C: 3'].map((value) => ({ key: 'http.extraheader', value }));
    expect(httpSettings({ url: 'https://x.example' }, list, {}).headers).toEqual(['B: 2', 'C: 3']);
  });

  it('list those that the broker does not support', () => {
    const config = [{ key: 'http.pinnedpubkey', value: 'sha256//x' }];
    expect(httpSettings({ url: 'https://x.example' }, config, {}).unsupported).toEqual(['http.pinnedpubkey']);
  });
});

describe('the way to a server', () => {
  const none = httpSettings({ url: 'https://x.example' }, [], {});
  const way = (url: string, env: NodeJS.ProcessEnv, settings = none) => proxyFor(new URL(url), settings, env)?.host;

  it('is the proxy of the scheme, unless the host is exempt', () => {
    const env = {
      https_proxy: 'http://p.example:1',
      http_proxy: 'q.example:2',
      NO_PROXY: 'localhost,.corp,10.0.0.0/8',
    };
    expect(way('https://x.example', env)).toBe('p.example:1');
    expect(way('http://x.example', env)).toBe('q.example:2');
    expect(way('https://git.corp', env)).toBeUndefined();
    expect(way('https://10.1.2.3', env)).toBeUndefined();
    expect(way('https://x.example', env, { ...none, proxy: '' })).toBeUndefined();
    expect(() => way('https://x.example', { ALL_PROXY: 'socks5://p.example' })).toThrow('socks5');
  });

  it.each([
    ['git.corp', 'corp', true],
    ['gitcorp', 'corp', false],
    ['anything', '*', true],
    ['::1', '::1', true],
    ['11.0.0.1', '10.0.0.0/8', false],
  ])('of %s with the list %s', (host, list, expected) => {
    expect(isExempt(host, list)).toBe(expected);
  });
});

describe('cookies', () => {
  const line = (...fields: string[]) => fields.join('\t');

  it('are sent only to their host, path and scheme, and not after their expiry', () => {
    const file = [
      '# a comment',
      line('host.example', 'FALSE', '/', 'TRUE', '0', 'a', '1'),
      line('#HttpOnly_.example', 'TRUE', '/', 'FALSE', '0', 'b', '2'),
      line('host.example', 'FALSE', '/other', 'FALSE', '0', 'c', '3'),
      line('host.example', 'FALSE', '/', 'FALSE', '1000', 'd', '4'),
      'Set-Cookie: e=5; domain=host.example; path=/team',
      'Set-Cookie: f=6',
    ].join('\n');
    expect(cookieHeader(file, new URL('https://host.example/team/x'))).toBe('a=1; b=2; e=5');
    expect(cookieHeader(file, new URL('http://host.example/'))).toBe('b=2');
    expect(cookieHeader(file, new URL('https://host.example.evil/'))).toBeUndefined();
  });
});

describe('a request of git', () => {
  it.each([
    ['GET', '/r.git/info/refs?service=git-upload-pack', 'refs'],
    ['POST', '/r.git/git-receive-pack', 'pack'],
    ['POST', '/r.git/info/lfs/objects/batch', 'lfs'],
    ['PUT', '/r.git/gitlab-lfs/objects/abc/12', 'lfs'],
    ['GET', '/r.git/info/lfs/locks?path=a%2Fb%20c&refspec=refs%2Fheads%2Fmain', 'lfs'],
  ])('is %s %s', (method, place, kind) => {
    expect(gitHttpRequest(method, 'https://h', place)).toMatchObject({ kind, repository: 'https://h/r.git' });
  });

  it.each([
    ['GET', '/r.git/info/refs'],
    ['GET', '/r.git/info/refs?service=git-upload-archive'],
    ['GET', '/r.git/info/refs?service=git-upload-pack&x=1'],
    ['POST', '/r.git/git-upload-pack?x=1'],
    ['GET', '/r.git/HEAD'],
    ['DELETE', '/r.git/info/lfs/locks/1'],
    ['POST', '/r.git/../s.git/git-upload-pack'],
    ['POST', '/r.git/%2e%2e/s.git/git-upload-pack'],
    ['POST', '/r.git\\..\\s.git/git-upload-pack'],
    ['POST', '//s.git/git-upload-pack'],
    ['POST', '/git-upload-pack'],
    ['POST', '/r.git/info/lfs/../../s.git/x'],
    // Servers that cut a segment at ";", or decode twice.
    ['POST', '/r.git/info/lfs/objects/%62atch'],
    ['GET', '/r.git/info/lfs/..;/..;/..;/rest/api/1.0/s'],
    ['GET', '/r.git/info/lfs/..;a=b/..;/s'],
    ['GET', '/r.git/info/lfs/%2e%2e%3b/s'],
    ['GET', '/r.git/info/lfs/..%3b/s'],
    ['GET', '/r.git/info/lfs/%252e%252e/s'],
    ['GET', '/r.git/info/lfs/.../s'],
    ['GET', '/r.git/info/lfs/%c0%ae%c0%ae/s'],
    ['GET', '/r.git/info/lfs/locks?x=\\..'],
    ['PUT', '/r.git/gitlab-lfs/objects/..;/..;/s'],
    ['POST', '/r.git/..;/s.git/git-upload-pack'],
    ['GET', '/r.git/%2e%2e%3B/s.git/info/refs?service=git-upload-pack'],
  ])('is not %s %s', (method, place) => {
    expect(gitHttpRequest(method, 'https://h', place)).toBeUndefined();
  });
});
