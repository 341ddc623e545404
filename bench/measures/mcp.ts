// `murmur mcp`, as published: the time until a client can call a tool.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { now } from '../clock.ts';
import { timeNode } from '../laboratory/command.ts';
import type { Laboratory } from '../laboratory/laboratory.ts';
import type { Measure, Trial } from '../measure.ts';
import { ratioAtMost } from '../target.ts';

/** From start to the list of tools. The floor is a Node process that does nothing. Needs no stack. */
export const mcp: Measure = {
  name: 'mcp',
  title: 'murmur mcp, as published: initialize and tools/list',
  unit: 'ms',
  samples: { full: 30, quick: 5 },
  warmUps: 3,
  target: ratioAtMost(4),
  timeoutMs: 30_000,
  open,
};

function open({ directory: cwd, stack }: Laboratory): Promise<Trial> {
  let tools = 0;
  return Promise.resolve({
    floor: () => timeNode(['-e', '0'], { cwd }),
    ours: async () => {
      const { bin, env } = stack();
      const session = await timeSession(bin, { cwd, env: { ...env, MURMUR_HOME: path.join(cwd, 'no-home') } });
      tools = session.tools;
      return session.ms;
    },
    notes: () => [`${tools.toString()} tools listed`],
    close: () => Promise.resolve(),
  });
}

const INITIALIZE = {
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
};

/** Milliseconds from the start of the process to the list, which is requested after the first answer, as by clients. */
async function timeSession(
  bin: string,
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<{ readonly ms: number; readonly tools: number }> {
  const began = now();
  const child = spawn(process.execPath, [bin, 'mcp'], { ...options, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  const ask = (message: object): void => void child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  ask(INITIALIZE);
  for await (const line of createInterface({ input: child.stdout })) {
    const { id, result } = JSON.parse(line) as { readonly id: number; readonly result: { readonly tools?: unknown[] } };
    if (id === INITIALIZE.id) {
      ask({ method: 'notifications/initialized' });
      ask({ id: 2, method: 'tools/list' });
      continue;
    }
    const ms = now() - began;
    child.stdin.end();
    await ended;
    return { ms, tools: result.tools?.length ?? 0 };
  }
  await ended;
  throw new Error('murmur mcp ended before it listed its tools');
}
