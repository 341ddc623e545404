// A small repository to clone. Imports Node built-ins only.
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const FILES = 50;

/** Makes a bare repository with a few files on `main`; resolves with its clone URL. */
export async function makeRepository(directory: string): Promise<string> {
  const seed = path.join(directory, 'seed');
  const origin = path.join(directory, 'origin.git');
  await mkdir(seed, { recursive: true });
  const git = async (...args: string[]) =>
    promisify(execFile)('git', ['-C', seed, '-c', 'user.name=bench', '-c', 'user.email=bench@localhost', ...args]);
  await git('init', '--quiet', '--initial-branch=main');
  for (let index = 0; index < FILES; index += 1) {
    await writeFile(path.join(seed, `file-${index.toString()}.txt`), `line ${index.toString()}\n`.repeat(100));
  }
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'sample');
  await git('clone', '--quiet', '--bare', seed, origin);
  return `file://${origin}`;
}
