// The client's part of a fan-out: reads the file with its items.
import { readFile } from 'node:fs/promises';
import type { InputOf, OutputOf } from '../contract/operation.ts';
import type { Operations } from '../contract/operations/index.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { ITEMS_FILE_LIMIT, itemsTooLarge, readItems } from '../contract/wire/fanout/items.ts';
import type { AnswerOptions, MurmurClient } from './index.ts';

/**
 * A `spawn` whose `each` names a file: one agent per line. Throws NOT_FOUND or INVALID_ARGUMENT for the file, and the
 * errors of the call.
 */
export async function spawnEach(
  client: MurmurClient,
  { each: path = '', slug = '', description = '', ...input }: InputOf<Operations['spawn']>,
  options?: AnswerOptions<'each'>,
): Promise<OutputOf<Operations['each']>> {
  const items = readItems(await readText(path), `in ${JSON.stringify(path)}`);
  return await client.call('each', { ...input, slug, description, items: [...items] }, options);
}

async function readText(path: string): Promise<string> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const absent = code === 'ENOENT' || code === 'ENOTDIR';
    const message = absent ? `no file ${JSON.stringify(path)}` : `cannot read ${JSON.stringify(path)}: ${code}`;
    throw new MurmurError(absent ? 'NOT_FOUND' : 'INVALID_ARGUMENT', message, {
      hint: 'each names a file with one item per line, where `murmur` runs',
      details: { field: 'each', value: path },
    });
  }
  if (content.length > ITEMS_FILE_LIMIT) throw itemsTooLarge(path);
  return content.toString('utf8');
}
