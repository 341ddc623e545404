import { describe, expect, test } from '@jest/globals';
import { branchProblem } from '../../../contract/schema/names.ts';
import { cloneUrlProblem } from '../../../contract/schema/repo.ts';

describe('a clone URL', () => {
  test.each([
    'https://github.com/org/repo',
    'https://git.example.com:8443/org/repo.git',
    'http://127.0.0.1:8080/x.git',
    'ssh://git@host/x',
    'git@github.com:org/repo.git',
    'host:path/to/repo',
    'file:///srv/x.git',
    '/srv/git/x.git',
    '/home/jane/my work/api',
  ])('may be %s', (url) => {
    expect(cloneUrlProblem(url)).toBeUndefined();
  });

  test.each([
    ['', 'clone URL required'],
    ['--upload-pack=touch /tmp/x', 'holds a space'],
    ['-oProxyCommand=x', 'begins with "-"'],
    ['ext::sh', 'remote helpers are not allowed'],
    ['javascript://x', 'git does not clone over "javascript:" here'],
    ['relative/path', 'use https://'],
    ['https://', 'is not valid'],
    ['a\u0000b', 'control character'],
  ])('may not be %j: %s', (url, problem) => {
    expect(cloneUrlProblem(url)).toContain(problem);
  });

  test('with a password is refused, and the error does not contain the password', () => {
    const problem = cloneUrlProblem('https://me:hunter2@git.example.com/x');
    expect(problem).toBe(
      'clone URL "https://git.example.com/x" carries credentials: leave them out and let git\'s credential helper answer',
    );
  });

  test('with a token as its user is refused', () => {
    expect(cloneUrlProblem('https://ghp_token@github.com/x')).not.toContain('ghp_token');
    expect(cloneUrlProblem('https://ghp_token@github.com/x')).toContain('carries credentials');
  });
});

describe('a branch', () => {
  test.each(['main', 'murmur/default/alice/fix-auth', 'feature/ü', 'a.b'])('may be %s', (name) => {
    expect(branchProblem(name)).toBeUndefined();
  });

  test.each([
    '',
    '-d',
    'a..b',
    'a b',
    'a~1',
    'a^',
    'a:b',
    '.a',
    'a/.b',
    'a.lock',
    'a/',
    '/a',
    'a//b',
    '@',
    'a@{1}',
    'a\\b',
    'a.',
  ])('may not be %j', (name) => {
    expect(branchProblem(name)).toBe(`branch ${JSON.stringify(name)} is not a valid branch name`);
  });
});
