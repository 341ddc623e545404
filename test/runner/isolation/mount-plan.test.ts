import { describe, expect, it } from '@jest/globals';
import { isBelow, planCovers } from '../../../runner/isolation/mount-plan.ts';

const everywhere = (): boolean => true;
const exceptFor =
  (...closed: readonly string[]) =>
  (folder: string): boolean =>
    !closed.includes(folder);

describe('planCovers', () => {
  it('covers hidden folders and shows needed paths below them', () => {
    const needed = ['/home/jane/.murmur/machines/m/home', '/home/jane/.murmur/machines/m/work', '/usr/bin/node'];
    expect(planCovers({ hide: ['/home/jane/.murmur'], open: [], needed, isPassable: everywhere })).toEqual([
      {
        path: '/home/jane/.murmur',
        isOpen: false,
        shows: ['/home/jane/.murmur/machines/m/home', '/home/jane/.murmur/machines/m/work'],
      },
    ]);
  });

  it('covers the outermost folder that cannot be entered, and no covered folder again', () => {
    const needed = ['/root/.murmur/machines/m/home', '/root/.nvm/bin'];
    const isPassable = exceptFor('/root', '/root/.murmur', '/root/.murmur/machines');
    expect(planCovers({ hide: ['/root/.murmur'], open: [], needed, isPassable })).toEqual([
      { path: '/root', isOpen: false, shows: needed },
    ]);
  });

  it('covers hidden folders within shown ones', () => {
    const needed = ['/root/project', '/root/project/.murmur/machines/m/home'];
    const covers = planCovers({
      hide: ['/root/project/.murmur'],
      open: [],
      needed,
      isPassable: exceptFor('/root', '/root/project/.murmur'),
    });
    expect(covers).toEqual([
      { path: '/root', isOpen: false, shows: ['/root/project'] },
      { path: '/root/project/.murmur', isOpen: false, shows: ['/root/project/.murmur/machines/m/home'] },
    ]);
  });

  it('hides a path that is both hidden and needed', () => {
    const covers = planCovers({ hide: ['/a'], open: [], needed: ['/a'], isPassable: everywhere });
    expect(covers).toEqual([{ path: '/a', isOpen: false, shows: [] }]);
  });

  it('covers a folder with an open one that only shows needed paths', () => {
    const needed = ['/tmp/home/machines/m/work'];
    expect(planCovers({ hide: ['/tmp/home'], open: ['/tmp'], needed, isPassable: everywhere })).toEqual([
      { path: '/tmp', isOpen: true, shows: needed },
    ]);
  });

  it('does not treat a longer name as a subfolder', () => {
    const covers = planCovers({ hide: ['/a/b'], open: [], needed: ['/a/bc'], isPassable: everywhere });
    expect(covers).toEqual([{ path: '/a/b', isOpen: false, shows: [] }]);
  });

  it('covers nothing when nothing is hidden and every folder can be entered', () => {
    expect(planCovers({ hide: [], open: [], needed: ['/work/a'], isPassable: everywhere })).toEqual([]);
  });
});

describe('isBelow', () => {
  it.each([
    ['/a/b', '/a', true],
    ['/a', '/a', false],
    ['/ab', '/a', false],
    ['/a', '/', true],
    ['/', '/', false],
  ])('%s below %s: %s', (path, folder, expected) => {
    expect(isBelow(path, folder)).toBe(expected);
  });
});
