// Finds out by a trial which isolation works on this host.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MurmurError } from '../../contract/wire/errors.ts';
import { boundControllers } from './cgroups.ts';
import type { IsolationKind, IsolationSpec, LimitsInForce } from '../../contract/wire/isolation.ts';
import { countsOwnProcesses } from './limits.ts';
import { createNamespaceIsolation, namespaceDescription } from './namespace.ts';
import { TRACKING_DESCRIPTION } from './tracking.ts';

export interface DetectedIsolation {
  readonly kind: IsolationKind;
  /** Whether each machine gets its own user id. */
  readonly ownUser: boolean;
  /** What is in force, for people. */
  readonly description: string;
  /** The limits in force on this host, besides /dev/shm; absent with tracking, which has none. */
  readonly limitsInForce?: LimitsInForce;
  /** Why namespaces are not used; absent when they are, or when tracking was configured. */
  readonly reason?: string;
}

/** A trial takes 20 ms. A host on which it hangs counts as one without namespaces. */
const TRIAL_LIMIT_MS = 10_000;
/** A user id that owns nothing, to test whether changing the user works. */
const TRIAL_UID = 1_909_999_999;

/**
 * The isolation for a choice: `auto` takes namespaces where they work, `namespace` throws FAILED_PRECONDITION with the
 * reason where they do not.
 */
export async function detectIsolation(choice: 'auto' | IsolationKind): Promise<DetectedIsolation> {
  if (choice === 'tracking') return { kind: 'tracking', ownUser: false, description: TRACKING_DESCRIPTION };
  const trial = await namespaceTrial();
  const ownUser = process.getuid?.() === 0;
  if ('limitsInForce' in trial) {
    const { limitsInForce } = trial;
    return { kind: 'namespace', ownUser, description: namespaceDescription(ownUser), limitsInForce };
  }
  const { reason } = trial;
  if (choice === 'auto') return { kind: 'tracking', ownUser: false, description: TRACKING_DESCRIPTION, reason };
  throw new MurmurError('FAILED_PRECONDITION', `namespaces do not work on this host: ${reason}`, {
    hint: 'unset MURMUR_ISOLATION, and processes are tracked instead',
  });
}

type Trial = { readonly reason: string } | { readonly limitsInForce: LimitsInForce };

/** The limits in force, or the system's message why namespaces do not work. */
async function namespaceTrial(): Promise<Trial> {
  if (process.platform !== 'linux') return { reason: `${process.platform} has none` };
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'murmur-isolation-'));
  try {
    return await tryNamespace(folder);
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Reports whether a file is hidden, and its cgroups. Uses only built-ins of the shell. */
const TRIAL =
  'test -d /proc/1 && test ! -e "$1" && echo held; while read -r line; do echo "$line"; done </proc/self/cgroup';

async function tryNamespace(folder: string): Promise<Trial> {
  const spec = trialSpec(folder);
  for (const path of [spec.paths.home, spec.paths.work, spec.paths.run]) await mkdir(path);
  const secret = join(folder, 'secret');
  await writeFile(secret, '');
  const { spawn, endStarted } = createNamespaceIsolation(spec);
  const child = spawn('/bin/sh', ['-c', TRIAL, 'sh', secret], { cwd: spec.paths.work, env: {} });
  const timer = setTimeout(() => child.kill('SIGKILL'), TRIAL_LIMIT_MS);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  try {
    await once(child, 'close');
  } finally {
    clearTimeout(timer);
    await endStarted();
  }
  const [first, ...cgroups] = output.stdout.split('\n');
  if (first !== 'held') return { reason: output.stderr.trim() || 'a trial did not hide a file' };
  return { limitsInForce: limitsOf(boundControllers(spec.machine, cgroups.join('\n'))) };
}

function limitsOf(controllers: readonly string[]): LimitsInForce {
  const ownUser = process.getuid?.() === 0;
  const byUser = ownUser ? 'user' : 'program';
  const byLimit = countsOwnProcesses(ownUser) ? byUser : 'none';
  return {
    processes: controllers.includes('pids') ? 'cgroup' : byLimit,
    memory: controllers.includes('memory') ? 'cgroup' : 'process',
  };
}

function trialSpec(folder: string): IsolationSpec {
  const paths = ['home', 'work', 'run', 'isolation'].map((name) => [name, join(folder, name)]);
  return {
    kind: 'namespace',
    machine: `murmur-trial-${randomUUID()}`,
    paths: Object.fromEntries(paths) as IsolationSpec['paths'],
    ...(process.getuid?.() === 0 ? { uid: TRIAL_UID } : {}),
    hide: [folder],
    keep: [],
  };
}
