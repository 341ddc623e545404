// Which isolation works on this host, found out by trying it.
import { once } from 'node:events';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MurmurError } from '../../../contract/wire/errors.ts';
import type { IsolationKind, IsolationSpec } from './isolation.ts';
import { createNamespaceIsolation, namespaceDescription } from './namespace.ts';
import { TRACKING_DESCRIPTION } from './tracking.ts';

export interface DetectedIsolation {
  readonly kind: IsolationKind;
  /** Whether each machine is to have a user id of its own. */
  readonly ownUser: boolean;
  /** What is in force, for people. */
  readonly description: string;
  /** Why it is not namespaces; absent when it is, or when tracking was asked for. */
  readonly reason?: string;
}

/** A trial takes 20 ms; a host on which it hangs has no namespaces to offer. */
const TRIAL_LIMIT_MS = 10_000;
/** Any user that is not the caller shows whether the change of user works; this one owns nothing. */
const TRIAL_UID = 1_909_999_999;

/**
 * The isolation for a choice: `auto` takes namespaces where they work, `namespace` throws FAILED_PRECONDITION with the
 * reason where they do not.
 */
export async function detectIsolation(choice: 'auto' | IsolationKind): Promise<DetectedIsolation> {
  if (choice === 'tracking') return { kind: 'tracking', ownUser: false, description: TRACKING_DESCRIPTION };
  const reason = await namespaceProblem();
  const ownUser = process.getuid?.() === 0;
  if (reason === undefined) return { kind: 'namespace', ownUser, description: namespaceDescription(ownUser) };
  if (choice === 'auto') return { kind: 'tracking', ownUser: false, description: TRACKING_DESCRIPTION, reason };
  throw new MurmurError('FAILED_PRECONDITION', `namespaces do not work on this host: ${reason}`, {
    hint: 'unset MURMUR_ISOLATION, and processes are tracked instead',
  });
}

/** Why namespaces cannot hold an agent here, in the system's words; undefined when they can. */
async function namespaceProblem(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `${process.platform} has none`;
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'murmur-isolation-'));
  try {
    return await tryNamespace(folder);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function tryNamespace(folder: string): Promise<string | undefined> {
  const spec = trialSpec(folder);
  for (const path of [spec.paths.home, spec.paths.work, spec.paths.run]) await mkdir(path);
  const secret = join(folder, 'secret');
  await writeFile(secret, '');
  const { spawn } = createNamespaceIsolation(spec);
  const child = spawn('/bin/sh', ['-c', `test -d /proc/1 && test ! -e "$1" && echo held`, 'sh', secret], {
    cwd: spec.paths.work,
    env: {},
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), TRIAL_LIMIT_MS);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  try {
    await once(child, 'close');
  } finally {
    clearTimeout(timer);
  }
  if (output.stdout.trim() === 'held') return undefined;
  return output.stderr.trim() || 'a trial did not hide a file';
}

function trialSpec(folder: string): IsolationSpec {
  const paths = ['home', 'work', 'run', 'isolation'].map((name) => [name, join(folder, name)]);
  return {
    kind: 'namespace',
    machine: 'trial',
    paths: Object.fromEntries(paths) as IsolationSpec['paths'],
    ...(process.getuid?.() === 0 ? { uid: TRIAL_UID } : {}),
    hide: [folder],
    keep: [],
  };
}
