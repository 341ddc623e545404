// `wait`: one agent is asked for by its slug, several as a list.
import type { OwnHalf } from '../operation.ts';

export const waitHalf: OwnHalf = {
  prepare(input, { parsed }) {
    const { slugs = [], ...rest } = input as { readonly slugs?: readonly string[] };
    const [slug] = slugs;
    if (slugs.length > 1)
      return Promise.resolve({ ...rest, slugs, ...(parsed.flags.has('any') ? { mode: 'any' } : {}) });
    return Promise.resolve({ ...(slug === undefined ? {} : { slug }), ...rest });
  },
};
