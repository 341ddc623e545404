// Stops the runners of this host's local machines, for `murmur down`. Conversations and work trees stay on disk. After
// the next `murmur up`, runners are started again when their turns continue.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { HomePaths } from '../config/home.ts';
import type { RunnerAddress, RunnerConfig, RunnerHealth, StopRequest } from '../contract/wire/runner.ts';
import { dialLoopback } from '../drivers/machines/local/machine.ts';
import { isEarlyRunner } from '../runner/identity/processes.ts';
import { endRunner } from '../drivers/machines/local/runner-end.ts';
import { readRunnerFile } from '../drivers/machines/local/runner-files.ts';
import { machineNameOf } from '../drivers/machines/local/runner-host-call.ts';
import { findRunnerHosts } from '../drivers/machines/local/runner-host-end.ts';
import { callRunner, type RunnerCall } from '../drivers/machines/runner-client.ts';
import { endProcess, identityOf } from './process.ts';

/** A running runner answers its health check in milliseconds. */
const HEALTH_MS = 2_000;

/** A stopping runner ends the agent program and its descendants before it exits. */
const STOP_MS = 10_000;

/** Stops all runners concurrently. Resolves with the names of the machines that had one, when none is running. */
export async function stopRunners(home: HomePaths): Promise<readonly string[]> {
  const names = await readdir(home.machines).catch(() => []);
  const stopped = await Promise.all(names.map((name) => stopRunner(join(home.machines, name, 'runner'))));
  // A process may have been started for a machine that was never created.
  await Promise.all((await findRunnerHosts(home.machines)).map(endHost));
  return names.filter((_, index) => stopped[index]);
}

async function stopRunner(folder: string): Promise<boolean> {
  const address = await readRunnerFile<RunnerAddress>(folder, 'address.json');
  const answers = address !== undefined && (await isOurs(folder, address));
  const identity = answers ? await identityOf(address.pid) : undefined;
  if (answers && identity !== undefined) {
    await requestStop(folder, address);
    await endProcess(identity, STOP_MS);
  }
  // Finds a runner that does not answer, or has no address yet, by its command line.
  await endRunner(folder);
  return answers;
}

async function endHost(pid: number): Promise<void> {
  const identity = await identityOf(pid);
  if (identity !== undefined) await endProcess(identity, STOP_MS);
}

/** Whether the runner answers: the process id in the file may belong to another program by now. */
async function isOurs(folder: string, address: RunnerAddress): Promise<boolean> {
  const health = await ask<RunnerHealth>(folder, address, { method: 'GET', path: '/health', limitMs: HEALTH_MS });
  return health?.machine === machineNameOf(folder) && health.pid === address.pid;
}

/** The caller checks the process to see whether it has stopped. */
async function requestStop(folder: string, address: RunnerAddress): Promise<void> {
  const body: StopRequest = { status: 'cut_off' };
  await ask(folder, address, { method: 'POST', path: '/stop', body, limitMs: STOP_MS });
}

/** The runner's answer; undefined when it does not answer or another process does. */
async function ask<Reply>(
  folder: string,
  address: RunnerAddress,
  { limitMs, ...call }: Omit<RunnerCall, 'signal'> & { readonly limitMs: number },
): Promise<Reply | undefined> {
  const { port } = address;
  const name = machineNameOf(folder);
  const machine = { name, dial: (to: number) => dialLoopback(name, to) };
  const early = { isUnchanged: () => isEarlyRunner(folder, address) };
  const token = address.token ?? (await readRunnerFile<RunnerConfig>(folder, 'config.json'))?.token;
  if (token === undefined) return undefined;
  const access = { port, token, ...(address.token === undefined ? early : {}) };
  try {
    return await callRunner<Reply>(machine, access, { ...call, signal: AbortSignal.timeout(limitMs) });
  } catch {
    return undefined;
  }
}
