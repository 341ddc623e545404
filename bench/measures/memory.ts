// Memory of a runner.
import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { homePaths } from '../../config/home.ts';
import { followUp, idle, residentAgent } from '../laboratory/agent.ts';
import type { Laboratory } from '../laboratory/laboratory.ts';
import { residentMegabytes } from '../laboratory/memory.ts';
import { end } from '../laboratory/processes.ts';
import type { Measure, Trial } from '../measure.ts';
import { everyAtMost } from '../target.ts';

/**
 * Resident memory of the runner and its own children, without the agent program and its processes, after more and more
 * turns. The floor is a Node process that listens on a port and does nothing.
 */
export const memory: Measure = {
  name: 'memory',
  title: 'runner memory beside the agent process',
  unit: 'MB',
  samples: { full: 10, quick: 2 },
  warmUps: 0,
  target: everyAtMost(80, 'MB'),
  timeoutMs: 120_000,
  open,
};

const TURNS_PER_SAMPLE = 5;
/** Size of a tool result per turn, which the journal and its readers must not keep in memory. */
const COMMAND = `node -e "console.log('x'.repeat(20000))"`;

function open(laboratory: Laboratory): Promise<Trial> {
  const resident = residentAgent(laboratory);
  let bare: ChildProcess | undefined;
  let turns = 0;
  return Promise.resolve({
    floor: async () => {
      bare ??= await startBareServer();
      return residentMegabytes(bare.pid ?? 0, () => false);
    },
    ours: async () => {
      const stack = laboratory.stack();
      const agent = await resident.get();
      let machine = '';
      for (let turn = 0; turn < TURNS_PER_SAMPLE; turn += 1) {
        const steps = [{ tool: 'Bash', input: { command: COMMAND, description: 'print' } }, { text: 'done' }];
        const prompt = laboratory.model.script(steps);
        await followUp(stack, agent, prompt);
        await prompt.requested(1);
        machine = (await idle(stack, agent)).vm?.name ?? '';
      }
      turns += TURNS_PER_SAMPLE;
      return residentMegabytes(await runnerPid(stack.home, machine), (command) => command.includes('claude'));
    },
    notes: () => [`after up to ${turns.toString()} turns`],
    close: async () => {
      if (bare !== undefined) await end(bare);
      await resident.close();
    },
  });
}

async function runnerPid(home: string, machine: string): Promise<number> {
  const file = path.join(homePaths(home).machines, machine, 'runner', 'address.json');
  return (JSON.parse(await readFile(file, 'utf8')) as { pid: number }).pid;
}

async function startBareServer(): Promise<ChildProcess> {
  const code = `require('node:http').createServer().listen(0, '127.0.0.1', () => console.log('listening'))`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child;
}
