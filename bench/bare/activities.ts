// What the bare workflows do outside the sandbox: the same work as ours with nothing around it.
// Imports Node built-ins, the Temporal activity package and bare/claude only.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { activityInfo, Context } from '@temporalio/activity';
import { now } from '../clock.ts';
import { startBareClaude, type BareClaude, type BareClaudeOptions } from './claude.ts';
import type { BareMessage } from './messages.ts';

const claudes = new Map<string, BareClaude>();

/** Nothing: an activity that only costs what Temporal costs. */
export function nothing(): Promise<void> {
  return Promise.resolve();
}

export async function clone({ from, to }: { readonly from: string; readonly to: string }): Promise<void> {
  await promisify(execFile)('git', ['clone', '--quiet', from, to]);
}

/** Starts a program and gives it its first turn, cold; with a name, it stays up for more turns. */
export async function coldTurn({ name, text, ...options }: ColdTurnInput): Promise<void> {
  const claude = startBareClaude(options);
  if (name !== undefined) claudes.set(name, claude);
  await claude.turn(text);
  if (name === undefined) await claude.stop();
}

export interface ColdTurnInput extends BareClaudeOptions {
  readonly name?: string;
  readonly text: string;
}

/** A turn of a program that is up. Tells the bench when it ended. */
export async function turn({ name, text }: { readonly name: string; readonly text: string }): Promise<void> {
  tell({ type: 'ended', name, ...(await named(name).turn(text)) });
}

export function interrupt({ name }: { readonly name: string }): Promise<void> {
  named(name).interrupt();
  return Promise.resolve();
}

export async function stopClaude({ name }: { readonly name: string }): Promise<void> {
  await claudes.get(name)?.stop();
  claudes.delete(name);
}

/** Heartbeats until cancelled or killed; tells the bench of each attempt that starts. */
export async function beat({ name }: { readonly name: string }): Promise<never> {
  tell({ type: 'attempt', name, attempt: activityInfo().attempt, at: now() });
  const context = Context.current();
  for (;;) {
    context.heartbeat();
    await context.sleep('250ms');
  }
}

function named(name: string): BareClaude {
  const claude = claudes.get(name);
  if (claude === undefined) throw new Error(`no program is named ${name}`);
  return claude;
}

function tell(message: BareMessage): void {
  process.send?.(message);
}
