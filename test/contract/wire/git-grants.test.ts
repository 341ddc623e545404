import { describe, expect, it } from '@jest/globals';
import { grantProblem, isGranted } from '../../../contract/wire/git-grants.ts';

describe('a grant', () => {
  it('begins with the name of a host, which usually has a dot', () => {
    expect(grantProblem('acme/shop')).toContain('names no host');
    expect(grantProblem('acme')).toContain('names no host');
    for (const grant of ['localhost/x', 'https://gitlab/x', 'gitlab:80/x']) expect(grantProblem(grant)).toBeUndefined();
  });

  it.each([
    ['github.com/acme', 'https://github.com/acme/shop'],
    ['github.com/acme/', 'https://GitHub.com:443/acme/shop.git'],
    ['github.com/acme', 'git@github.com:acme/shop.git'],
    ['github.com/acme', 'ssh://github.com:22/acme/shop'],
    ['GitHub.com/acme/shop.git', 'https://github.com/acme/shop'],
    ['github.com', 'https://github.com/acme/shop'],
    ['git.example.com:8443/acme', 'https://git.example.com:8443/acme/shop'],
    ['[::1]/acme', 'https://[::1]/acme/shop'],
    ['https://github.com/acme/shop', 'https://github.com/acme/shop.git/'],
    ['https://github.com/acme', 'https://github.com/acme/shop'],
    ['http://127.0.0.1:8080/', 'http://127.0.0.1:8080/shop'],
    ['git@github.com:acme/', 'git@github.com:acme/shop'],
    ['git@github.com:acme', 'ssh://git@github.com/acme/shop'],
    ['git@github.com:', 'git@github.com:acme/shop'],
    ['git://h/x', 'git://h:9418/x'],
  ])('%s covers %s', (grant, url) => {
    expect(grantProblem(grant)).toBeUndefined();
    expect(isGranted(url, ['other.example', grant])).toBe(true);
  });

  it.each([
    ['github.com/acme', 'https://github.com/acme-evil/shop'],
    ['github.com/acme', 'https://github.com/Acme/shop'],
    ['github.com/acme', 'https://github.com/acme/../evil/shop'],
    ['github.com/acme', 'https://github.com/acme/%2e%2e/evil'],
    ['github.com/acme', 'https://github.com/acme/./shop'],
    ['github.com/acme', 'https://github.com/acme/..;/secret/shop'],
    ['github.com/acme', 'https://github.com/acme/..;x=y/secret/shop'],
    ['github.com/acme', 'https://github.com/acme;x/shop'],
    ['github.com/acme', 'https://github.com/acme/.../shop'],
    ['github.com/acme', 'git@github.com:acme/..;/secret/shop'],
    ['github.com/acme', 'https://github.com/acme//shop'],
    ['github.com/acme', 'https://github.com//acme/shop'],
    ['github.com/acme', 'https://github.com/acme/shop?x=/../y'],
    ['github.com/acme', 'https://github.com/acme/shop#y'],
    ['github.com/acme', 'https://github.com/acme\\..\\evil'],
    ['github.com/acme', 'https://github.com@evil.example/acme/shop'],
    ['github.com/acme', 'https://github.com\\@evil.example/acme/shop'],
    ['github.com/acme', 'https://user@github.com/acme/shop'],
    ['github.com/acme', 'https://github.com.evil.example/acme/shop'],
    ['github.com/acme', 'https://evil-github.com/acme/shop'],
    ['github.com/acme', 'https://github.com./acme/shop'],
    ['github.com/acme', 'https://\uff47ithub.com/acme/shop'],
    ['github.com/acme', 'https://github.com:8443/acme/shop'],
    ['github.com/acme', 'http://github.com/acme/shop'],
    ['github.com/acme', 'git://github.com/acme/shop'],
    ['github.com/acme', 'ssh://root@github.com/acme/shop'],
    ['github.com/acme', 'file://github.com/acme/shop'],
    ['github.com/acme', '/github.com/acme/shop'],
    ['github.com/acme', 'file:///github.com/acme/shop'],
    ['github.com/acme', 'https://github.com/'],
    ['github.com', 'https://github.com'],
    ['git.example.com:8443/acme', 'https://git.example.com/acme/shop'],
    ['https://github.com/acme', 'git@github.com:acme/shop'],
    ['https://github.com/acme', 'http://github.com/acme/shop'],
    ['git@github.com:acme/', 'https://github.com/acme/shop'],
    ['git@github.com:acme/', 'root@github.com:acme/shop'],
    ['git@github.com:acme/', 'ssh://git@github.com:2222/acme/shop'],
  ])('%s does not cover %s', (grant, url) => {
    expect(grantProblem(grant)).toBeUndefined();
    expect(isGranted(url, [grant])).toBe(false);
  });

  it.each([
    '/srv/git',
    'file:///srv/git',
    './x',
    '~/git',
    '.',
    '',
    '/',
    'ext::sh',
    'https://token@github.com/acme',
    'https://github.com/acme/../x',
    'github.com/a%2fb',
    'github.com/a//b',
    'github.com/a;b',
    'https://github.com/..;/b',
    'github.com\\@evil/x',
    'git hub.com/x',
    'https://',
    'a@b@c:d',
    '*/acme',
    'https:',
  ])('%s covers nothing and is invalid', (grant) => {
    expect(grantProblem(grant)).toBeDefined();
    for (const url of ['/srv/git', 'file:///srv/git/x', 'https://github.com/acme/x', 'https://evil/x']) {
      expect(isGranted(url, [grant])).toBe(false);
    }
  });
});
