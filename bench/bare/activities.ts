// Activities of the bare workflows: the same work as Murmur's, without anything else. Imports Node built-ins, the
// Temporal activity package and bare/claude only.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { activityInfo, Context } from '@temporalio/activity';
import { now } from '../clock.ts';
import { startBareClaude, type BareClaude, type BareClaudeOptions } from './claude.ts';
import type { BareMessage } from './messages.ts';

const claudes = new Map<string, BareClaude>();

/** Does nothing, to measure Temporal's own cost of an activity. */
export function nothing(): Promise<void> {
  return Promise.resolve();
}

export async function clone({ from, to }: { readonly from: string; readonly to: string }): Promise<void> {
  await promisify(execFile)('git', ['clone', '--quiet', from, to]);
}

/** Starts a program and runs its first turn. With a name, the program keeps running for more turns. */
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

/** Runs a turn of a running program. Reports the turn's end to the benchmark. */
export async function turn({ name, text }: { readonly name: string; readonly text: string }): Promise<void> {
  report({ type: 'ended', name, ...(await named(name).turn(text)) });
}

export function interrupt({ name }: { readonly name: string }): Promise<void> {
  named(name).interrupt();
  return Promise.resolve();
}

export async function stopClaude({ name }: { readonly name: string }): Promise<void> {
  await claudes.get(name)?.stop();
  claudes.delete(name);
}

/** Heartbeats until cancelled or killed. Reports the start of each attempt to the benchmark. */
export async function beat({ name }: { readonly name: string }): Promise<never> {
  report({ type: 'attempt', name, attempt: activityInfo().attempt, at: now() });
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

function report(message: BareMessage): void {
  process.send?.(message);
}
