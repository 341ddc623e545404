import { describe, expect, it } from '@jest/globals';
import { directoryNames, repositoryName } from '../../../runner/workspace/directory-names.ts';

describe('a repository', () => {
  it.each([
    ['https://h/o/my repo.git', 'my repo'],
    ['git@h:r.git', 'r'],
    ['/srv/übung.git/', 'übung'],
    ['/srv/project/.git', 'project'],
    ['/srv/-dash', '-dash'],
    ['file:///srv/a%20b.git', 'a%20b'],
    ['https://h/..', 'repository'],
    ['https://h/', 'repository'],
    [`/srv/${'é'.repeat(300)}`, 'é'.repeat(120)],
  ])('%s is checked out into %s', (url, name) => {
    expect(repositoryName(url)).toBe(name);
  });

  it('gets its own directory', () => {
    expect(directoryNames(['/a/r', '/b/R.git', '/c/r', '/d/s'])).toEqual(['r', 'R-2', 'r-3', 's']);
  });
});
