// Stops the runners of this host's local machines: what `murmur down` owes to the agents. The conversation and the work
// tree stay on disk, and the next `murmur up` starts the runners again when their turns are taken up.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { HomePaths } from '../config/home.ts';
import type { RunnerAddress, RunnerConfig, RunnerHealth, StopRequest } from '../contract/wire/runner.ts';
import { endRunner } from '../drivers/machines/local/runner-end.ts';
import { readRunnerFile } from '../drivers/machines/local/runner-files.ts';
import { findRunnerHosts } from '../drivers/machines/local/runner-host-end.ts';
import { ask } from './loopback.ts';
import { endProcess, identityOf } from './process.ts';

/** A runner that lives answers its health in milliseconds. */
const HEALTH_MS = 2_000;

/** It ends the agent program and everything below it before it exits. */
const STOP_MS = 10_000;

/** Stops every runner at once. Resolves with the names of the machines that had one; none of them runs afterwards. */
export async function stopRunners(home: HomePaths): Promise<readonly string[]> {
  const names = await readdir(home.machines).catch(() => []);
  const stopped = await Promise.all(names.map((name) => stopRunner(join(home.machines, name, 'runner'))));
  // One that has been started for a machine that never came.
  await Promise.all((await findRunnerHosts(home.machines)).map(endHost));
  return names.filter((_, index) => stopped[index]);
}

async function stopRunner(folder: string): Promise<boolean> {
  const [address, config] = await Promise.all([
    readRunnerFile<RunnerAddress>(folder, 'address.json'),
    readRunnerFile<RunnerConfig>(folder, 'config.json'),
  ]);
  const answers = address !== undefined && config !== undefined && (await isOurs(address, config));
  const identity = answers ? await identityOf(address.pid) : undefined;
  if (answers && identity !== undefined) {
    await tellToStop(address, config);
    await endProcess(identity, STOP_MS);
  }
  // One that does not answer, or has no address yet, is found by its command line.
  await endRunner(folder);
  return answers;
}

async function endHost(pid: number): Promise<void> {
  const identity = await identityOf(pid);
  if (identity !== undefined) await endProcess(identity, STOP_MS);
}

/** The number in the file may belong to another program by now: the runner says who it is. */
async function isOurs(address: RunnerAddress, config: RunnerConfig): Promise<boolean> {
  const question = { limitMs: HEALTH_MS, token: config.token };
  const health = (await ask(`${urlOf(address)}/health`, question)) as RunnerHealth | undefined | null;
  return health?.machine === config.machine && health.pid === address.pid;
}

/** Whether it went is judged by the process. */
async function tellToStop(address: RunnerAddress, config: RunnerConfig): Promise<void> {
  const body: StopRequest = { status: 'cut_off' };
  await ask(`${urlOf(address)}/stop`, { limitMs: STOP_MS, token: config.token, body });
}

function urlOf({ port }: RunnerAddress): string {
  return `http://127.0.0.1:${port.toString()}`;
}
