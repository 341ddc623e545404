// Calls to the processes that serve the runners of several machines.
import { basename, dirname } from 'node:path';
import type { DropRequest, ServeRequest } from '../../../contract/wire/runner.ts';
import type { RunnerAccess } from '../provider.ts';
import { callRunner } from '../runner-client.ts';
import { dialLoopback } from './machine.ts';

/** One call about one machine. Throws as the calls of a runner's client do. */
export async function callHost(
  access: RunnerAccess,
  path: '/serve' | '/drop',
  body: ServeRequest | DropRequest,
  limitMs: number,
): Promise<void> {
  const name = machineNameOf(body.directory);
  const machine = { name, dial: (port: number) => dialLoopback(name, port) };
  await callRunner(machine, access, { method: 'POST', path, body, signal: AbortSignal.timeout(limitMs) });
}

/** The name of the machine to which the runner's folder belongs. */
export function machineNameOf(runnerFolder: string): string {
  return basename(dirname(runnerFolder));
}
