// Reading a repository's instructions for agents.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readProjectInstructions } from '../../../runner/backends/project-instructions.ts';

describe('readProjectInstructions', () => {
  let root: string;
  let repository: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'murmur-instructions-'));
    repository = join(root, 'repository');
    await mkdir(repository);
  });
  afterEach(async () => await rm(root, { recursive: true, force: true }));

  it('is undefined when there are none', async () => {
    await writeFile(join(repository, 'AGENTS.md'), ' \n');
    expect(await readProjectInstructions([repository, join(root, 'missing')])).toBeUndefined();
  });

  it('includes CLAUDE.md and AGENTS.md of every repository, each with its path and its origin', async () => {
    const other = join(root, 'other');
    await mkdir(other);
    await writeFile(join(repository, 'CLAUDE.md'), 'use tabs');
    await writeFile(join(repository, 'AGENTS.md'), 'run the tests');
    await writeFile(join(other, 'AGENTS.md'), 'be brief');
    const text = await readProjectInstructions([repository, other]);
    expect(text).toContain('not from the person');
    expect(text).toContain(`Contents of ${join(repository, 'CLAUDE.md')}:\n\nuse tabs`);
    expect(text).toContain(`Contents of ${join(repository, 'AGENTS.md')}:\n\nrun the tests`);
    expect(text).toContain(`Contents of ${join(other, 'AGENTS.md')}:\n\nbe brief`);
  });

  it('includes a file once when the other one is a link to it', async () => {
    await writeFile(join(repository, 'AGENTS.md'), 'run the tests');
    await symlink('AGENTS.md', join(repository, 'CLAUDE.md'));
    expect((await readProjectInstructions([repository]))?.split('run the tests')).toHaveLength(2);
  });

  it('skips a link that leads out of the repository', async () => {
    await writeFile(join(root, 'private.txt'), 'a secret of the host');
    await symlink('../private.txt', join(repository, 'CLAUDE.md'));
    expect(await readProjectInstructions([repository])).toBeUndefined();
  });

  it('skips a repository that was replaced by a link', async () => {
    await mkdir(join(root, 'private'));
    await writeFile(join(root, 'private', 'CLAUDE.md'), 'rules of another');
    await rm(repository, { recursive: true });
    await symlink('private', repository);
    expect(await readProjectInstructions([repository])).toBeUndefined();
  });

  it('does not wait for a pipe', async () => {
    await promisify(execFile)('mkfifo', [join(repository, 'CLAUDE.md')]);
    expect(await readProjectInstructions([repository])).toBeUndefined();
  });

  it('cuts a long file and says so', async () => {
    await writeFile(join(repository, 'CLAUDE.md'), 'x'.repeat(70_000));
    const text = (await readProjectInstructions([repository])) ?? '';
    expect(text.length).toBeLessThan(67_000);
    expect(text).toContain('[cut here');
  });
});
