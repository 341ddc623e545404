import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { claimDirectory } from '../../runner/only-one.ts';

const root = mkdtempSync(join(tmpdir(), 'murmur-claims-'));
afterAll(() => rmSync(root, { recursive: true }));

function directory(): string {
  const folder = join(root, randomUUID(), 'runner');
  mkdirSync(folder, { recursive: true });
  return folder;
}

describe('the claim of a machine', () => {
  it('goes to one of several concurrent processes, also after its owner was killed', async () => {
    const folder = directory();
    const claim = `import { claimDirectory } from ${JSON.stringify(join(import.meta.dirname, '../../runner/only-one.ts'))};
      await claimDirectory(${JSON.stringify(folder)}); console.log('claimed'); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', claim], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(child.stdout, 'data');
      expect(await claimDirectory(folder)).toBeUndefined();
    } finally {
      child.kill('SIGKILL');
    }
    await once(child, 'exit');
    const claims = await Promise.all([1, 2, 3, 4].map(() => claimDirectory(folder)));
    const [one, ...others] = claims.filter((each) => each !== undefined);
    expect(others).toEqual([]);
    // One socket, and none of failed attempts.
    expect(readdirSync(folder)).toEqual(['claim.2']);
    one?.release();
    const next = await claimDirectory(folder);
    expect(next).toBeDefined();
    next?.release();
  });

  (process.platform === 'linux' ? it : it.skip)('cannot be taken by a process that only knows the path', async () => {
    const folder = directory();
    // An abstract name, which any process of the host can use.
    const name = createHash('sha256').update(folder).digest('hex');
    const other = createServer().listen(`\0murmur-runner-${name}`);
    await once(other, 'listening');
    try {
      const claim = await claimDirectory(folder);
      expect(claim).toBeDefined();
      claim?.release();
    } finally {
      other.close();
    }
  });
});
