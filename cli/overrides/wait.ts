// `wait`: sends one slug as `slug`, several as a list.
import { MurmurError } from '../../contract/wire/errors.ts';
import type { CommandOverride } from '../override.ts';

export const waitOverride: CommandOverride = {
  async prepare(input, { parsed: { flags } }) {
    if (flags.has('any') && flags.has('all')) {
      throw new MurmurError('INVALID_ARGUMENT', '--any and --all exclude each other');
    }
    const { slugs = [], ...rest } = input as { readonly slugs?: readonly string[] };
    const [slug] = slugs;
    if (slugs.length > 1) return { ...rest, slugs, ...(flags.has('any') ? { mode: 'any' } : {}) };
    return { ...(slug === undefined ? {} : { slug }), ...rest };
  },
};
