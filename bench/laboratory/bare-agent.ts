// A bare counterpart of an idle agent: a workflow that waits for signals, and a resident program in the bare worker.
// Imports the laboratory and bare/workflows' types.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Order, StartInput } from '../bare/workflows.ts';
import type { Laboratory } from './laboratory.ts';

export interface BareAgent {
  readonly name: string;
  readonly workflowId: string;
  /** Signals the workflow. Resolves when the server has the signal. */
  order(order: Order): Promise<void>;
  stop(): Promise<void>;
}

/** Starts both and runs a first turn, so that the program is warm. */
export async function startBareAgent(laboratory: Laboratory): Promise<BareAgent> {
  const { temporal, bare } = laboratory;
  const name = laboratory.name('bare');
  const warmUp = laboratory.model.script([{ text: 'warm' }]);
  const claude = { ...(await claudeOptions(laboratory, name)), name, text: warmUp.text };
  const { taskQueue } = bare;
  const input: StartInput = { before: 0, clone: { from: '', to: '' }, claude };
  await temporal.client.workflow.execute('start', { taskQueue, workflowId: `${name}-start`, args: [input] });
  const handle = await temporal.client.workflow.start('resident', { taskQueue, workflowId: name, args: [] });
  const order = (order: Order) => handle.signal('order', order);
  return {
    name,
    workflowId: name,
    order,
    stop: async () => {
      await order({ activity: 'stopClaude', name });
      await order({ activity: 'end' });
    },
  };
}

/** Starts a program with an empty home and working directory. */
export async function claudeOptions(
  { directory, claude, model }: Laboratory,
  name: string,
): Promise<{ program: string; cwd: string; home: string; modelUrl: string }> {
  const cwd = path.join(directory, 'bare', name, 'work');
  const home = path.join(directory, 'bare', name, 'home');
  await mkdir(cwd, { recursive: true });
  await mkdir(home, { recursive: true });
  return { program: claude, cwd, home, modelUrl: model.url };
}
