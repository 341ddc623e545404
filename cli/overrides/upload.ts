// `upload`: the file is named as the shell names files, and is called what it is called.
import { basename, resolve } from 'node:path';
import type { OwnHalf } from '../override.ts';

export const uploadHalf: OwnHalf = {
  prepare(input, { context }) {
    const path = resolve(context.cwd, String(input['path']));
    return Promise.resolve({ filename: basename(path), ...input, path });
  },
};
