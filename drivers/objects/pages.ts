// Pages and conditions, shared by all drivers.
import { MurmurError } from '../../contract/wire/errors.ts';
import type { Generation, ListRequest, ObjectPage, ObjectStore, WriteCondition } from './object-store.ts';
import { PAGE_LIMIT } from './object-store.ts';

/** The page's size. Throws INVALID_ARGUMENT for one out of range. */
export function pageLimit({ limit = PAGE_LIMIT }: ListRequest): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= PAGE_LIMIT) return limit;
  throw new MurmurError('INVALID_ARGUMENT', `a page of ${limit} keys: the limit is from 1 to ${PAGE_LIMIT}`);
}

/** The page of these keys. The caller passes one key more than `limit` when another page follows. */
export function pageOf(keys: readonly string[], limit: number): ObjectPage {
  const page = keys.slice(0, limit);
  const next = page.at(-1);
  return keys.length > limit && next !== undefined ? { keys: page, next } : { keys: page };
}

/** All pages of the prefix, as one list. */
export async function everyKey(store: Pick<ObjectStore, 'page'>, prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  let after: string | undefined;
  do {
    const page = await store.page({ prefix, ...(after === undefined ? {} : { after }) });
    keys.push(...page.keys);
    after = page.next;
  } while (after !== undefined);
  return keys;
}

/** Throws FAILED_PRECONDITION when the condition does not hold for the current generation. */
export function checkCondition(
  key: string,
  condition: WriteCondition | undefined,
  current: Generation | undefined,
): void {
  if (condition === undefined) return;
  if ('ifAbsent' in condition ? current === undefined : condition.if === current) return;
  const found = current === undefined ? 'there is no such object' : 'the object exists';
  const problem = 'ifAbsent' in condition ? found : `${found}, but not in generation ${condition.if}`;
  throw new MurmurError('FAILED_PRECONDITION', `object ${key} was not changed: ${problem}`, {
    hint: 'read it again and retry with its current generation',
    details: { key, ...(current === undefined ? {} : { generation: current }) },
  });
}
