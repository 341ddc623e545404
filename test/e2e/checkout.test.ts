// Agents of a stack that runs from the sources of a checkout.
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ROOT } from '../fixtures/program-under-test.ts';
import { settled } from './fixtures/agent.ts';
import { spawnBare } from './fixtures/refusals.ts';
import { startStack, type TestStack } from './fixtures/stack.ts';

/** A stack from sources starts, and its programs may be bundled first, on two slow cores. */
const TIMEOUT_MS = 180_000;
const PROGRAM = join(ROOT, 'bin', 'murmur.js');

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({ up: false, program: PROGRAM });
}, TIMEOUT_MS);
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
}, TIMEOUT_MS);

/** Spawns an agent; resolves with the file that its machine runs as `murmur`. */
async function murmurOf(slug: string): Promise<string> {
  await spawnBare(stack, slug, 'Hello?');
  const { phase, vm } = await settled(stack, slug);
  expect(phase).toBe('idle');
  const script = await readFile(join(stack.home, 'machines', vm?.name ?? '', 'bin', 'murmur'), 'utf8');
  return script.split("'")[3] ?? '';
}

/** The last model request has the tools of `murmur mcp`. */
function expectTools(): void {
  expect(stack.model.requests.at(-1)?.tools).toContain('mcp__murmur__spawn');
}

it(
  'they run murmur from bundles; from the sources when it cannot be bundled, and the log says why',
  async () => {
    const folder = join(stack.home, 'programs');
    await stack.murmur(['up']);
    const bundled = await murmurOf('bundled');
    const [digest = ''] = await readdir(folder);
    expect(bundled).toBe(join(folder, digest, 'bin', 'murmur.js'));
    expectTools();
    await stack.murmur(['down']);

    await rm(folder, { recursive: true });
    await writeFile(folder, 'in the way');
    await stack.murmur(['up']);
    expect(await murmurOf('from-sources')).toBe(PROGRAM);
    expectTools();
    const log = await readFile(join(stack.home, 'logs', 'worker.log'), 'utf8');
    expect(log).toMatch(/murmur cannot be bundled for agents/);
    expect(log).toContain(folder);
  },
  TIMEOUT_MS,
);
