import { describe, expect, it } from '@jest/globals';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadProject } from '../../config/project.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';

/** A project with these files, and a folder deep below it. */
async function project(
  files: Readonly<Record<string, string>>,
): Promise<AsyncDisposable & { path: string; deep: string }> {
  const folder = await temporaryFolder();
  const deep = join(folder.path, 'a', 'b');
  await mkdir(deep, { recursive: true });
  await mkdir(join(folder.path, '.murmur'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder.path, '.murmur', name), content);
  return { path: folder.path, deep, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

describe('loadProject', () => {
  it('finds the files upwards from the working directory', async () => {
    await using found = await project({ 'murmur.yaml': 'workspace: team\nmodel: sonnet\n' });
    expect(await loadProject(found.deep)).toEqual({ workspace: 'team', model: 'sonnet' });
    expect(await loadProject(found.path)).toEqual({ workspace: 'team', model: 'sonnet' });
  });

  it('prefers the local file', async () => {
    await using found = await project({
      'murmur.yaml': 'workspace: team\nmodel: sonnet\n',
      'murmur.local.yaml': 'model: opus\n',
    });
    expect(await loadProject(found.path)).toEqual({ workspace: 'team', model: 'opus' });
  });

  it('reads a local file without a shared one, and only the nearest project', async () => {
    await using found = await project({ 'murmur.yaml': 'workspace: outer\nmodel: sonnet\n' });
    await mkdir(join(found.deep, '.murmur'));
    await writeFile(join(found.deep, '.murmur', 'murmur.local.yaml'), 'workspace: inner\n');
    expect(await loadProject(found.deep)).toEqual({ workspace: 'inner' });
  });

  it.each(['', '# only a comment\n', '{}'])('treats %j as a file without settings', async (content) => {
    await using found = await project({ 'murmur.yaml': content });
    expect(await loadProject(found.path)).toEqual({});
  });

  it.each([
    ['colour: red', '"colour"', '"red"'],
    ['workspace: 7', 'workspace', '7'],
    ['model: [a, b]', 'model', '["a","b"]'],
    ['workspace: ""', 'workspace', '""'],
    ['model:', 'model', 'null'],
    ['workspace: Not A Label', 'workspace', '"Not A Label"'],
  ])('rejects %j and names file, key and value', async (content, key, value) => {
    await using found = await project({ 'murmur.local.yaml': content });
    const failure = await loadProject(found.path).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT' });
    const { message } = failure as Error;
    for (const part of [join(found.path, '.murmur', 'murmur.local.yaml'), key, value]) expect(message).toContain(part);
  });

  it.each([
    ['a list', '- workspace'],
    ['a word', 'workspace'],
    ['a key given twice', 'model: a\nmodel: b'],
    ['no YAML', 'workspace: [a'],
  ])('rejects %s and names the file', async (_, content) => {
    await using found = await project({ 'murmur.yaml': content });
    await expect(loadProject(found.path)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(join(found.path, '.murmur', 'murmur.yaml')),
    });
  });
});
