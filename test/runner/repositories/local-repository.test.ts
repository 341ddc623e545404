// Where git finds a repository, compared with git itself.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { findRepository, isBelow } from '../../../runner/repositories/local-repository.ts';

const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'murmur-local-')));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const at = (name: string): string => path.join(folder, name);
const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { stdio: 'pipe', encoding: 'utf8' });

git('init', '-q', '--bare', at('bare.git'));
git('init', '-q', at('work'));
git('-C', at('work'), 'commit', '-q', '--allow-empty', '-m', 'x');
git('-C', at('work'), 'worktree', 'add', '-q', at('linked'));
git('-C', at('work'), 'bundle', 'create', at('one.bundle'), 'HEAD');
mkdirSync(at('pointed'));
symlinkSync(at('bare.git'), at('pointed/.git'));
symlinkSync(at('work'), at('link'));
mkdirSync(at('empty'));
mkdirSync(at('empty.git'));
writeFileSync(at('empty/.git'), '');

describe('a repository on this host', () => {
  it.each([
    ['bare.git', 'bare.git'],
    ['bare', 'bare.git'],
    ['bare.git/', 'bare.git'],
    ['work', 'work'],
    ['work/.git', 'work/.git'],
    ['link', 'work'],
    ['link/.git', 'work/.git'],
    ['/work/../work', 'work'],
    ['pointed', 'bare.git'],
  ])('is found at the path %s, as by git', async (name, found) => {
    const asked = `${folder}/${name}`;
    expect(await findRepository(asked)).toEqual({ path: at(found) });
    expect(() => git('ls-remote', asked)).not.toThrow();
  });

  it.each([
    ['linked', 'linked work tree'],
    ['linked/.git', 'file'],
    ['work/.git/worktrees/linked', 'linked work tree'],
    ['one.bundle', 'bundle'],
    ['one', 'bundle'],
    ['empty', 'linked work tree'],
  ])('is rejected at the path %s, with the problem "%s"', async (name, problem) => {
    expect(await findRepository(at(name))).toEqual({ problem: expect.stringContaining(problem) as unknown });
  });

  it.each(['nothing', 'empty.git', ''])('is not found at the path %j', async (name) => {
    expect(await findRepository(`${folder}/${name}`)).toBeUndefined();
    expect(() => git('ls-remote', `${folder}/${name}`)).toThrow();
  });
});

describe('a folder', () => {
  it.each(['work', 'work/.git', 'work/not/there', 'link/.git', '/work/.git/../..//work'])(
    'contains %s, in any form of the path',
    async (name) => {
      expect(await isBelow(`${folder}/${name}`, at('work'))).toBe(true);
      expect(await isBelow(`/proc/self/root/${folder}/${name}`, at('work'))).toBe(process.platform === 'linux');
      expect(await isBelow(`${folder}/${name}`, at('link'))).toBe(true);
    },
  );

  it('contains neither its siblings nor its parents', async () => {
    for (const name of ['', 'work2', 'bare.git', 'work/../bare.git']) {
      expect(await isBelow(`${folder}/${name}`, at('work'))).toBe(false);
    }
    expect(await isBelow(at('work'), at('nothing'))).toBe(false);
  });
});
