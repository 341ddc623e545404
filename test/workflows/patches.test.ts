import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { PACKAGE_ROOT } from '../../config/package.ts';
import { PATCHES } from '../../workflows/patches.ts';

/** Ids from before the rule. Never add one here. */
const UNDATED: readonly string[] = ['spawns are answered at once'];

describe('patches of workflows', () => {
  it('have unique, dated ids', () => {
    const ids: readonly string[] = Object.values(PATCHES);
    expect(ids.filter((id) => !UNDATED.includes(id) && !/^20\d\d-[01]\d-[0-3]\d-[a-z0-9-]+$/.test(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('are all listed in one table', () => {
    const folder = join(PACKAGE_ROOT, 'workflows');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const calls = files.flatMap((file) => {
      const text = readFileSync(join(folder, file), 'utf8');
      return [...text.matchAll(/\b(?:deprecatePatch|patched)\(([^)]*)\)/g)].map(([, id = '']) => `${file}: ${id}`);
    });
    expect(calls.length).toBeGreaterThan(0);
    expect(calls.filter((call) => !/: PATCHES\.\w+$/.test(call))).toEqual([]);
  });
});
