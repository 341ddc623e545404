// Many small reads at once, but not all.

/** Maps in order, with at most so many calls open. The first error ends it. */
export async function mapLimited<From, To>(
  items: readonly From[],
  limit: number,
  map: (item: From) => Promise<To>,
): Promise<readonly To[]> {
  const results = new Array<To>(items.length);
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    // All workers draw from one iterator.
    for (const [index, item] of queue) results[index] = await map(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
