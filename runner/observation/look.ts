// Observes the state of one repository.
import { randomUUID } from 'node:crypto';
import type { Isolation } from '../isolation/port.ts';
import { runContained } from '../containment.ts';
import { OBSERVE_SCRIPT, readNames, readParts, readRefs } from './script.ts';

/** The state of a repository at one time. */
export interface RepositoryLook {
  /** Tree object of the work tree, including untracked files; empty before the first observation. */
  readonly tree: string;
  /** Branch that is checked out, without `refs/heads/`; empty when HEAD is detached. */
  readonly branch: string;
  /** Commit at HEAD; empty before the first commit. */
  readonly head: string;
  /** Branches and remote branches: ref → commit. */
  readonly refs: Readonly<Record<string, string>>;
}

/** A repository that was not observed yet. */
export const NEVER_LOOKED: RepositoryLook = { tree: '', branch: '', head: '', refs: {} };

export interface LookResult {
  readonly look: RepositoryLook;
  /** Paths that differ from the work tree of the earlier observation. */
  readonly modified: readonly string[];
  /** Number of paths that differ from HEAD. */
  readonly dirty: number;
}

export interface LookContext {
  readonly containment: Isolation;
  readonly env: Readonly<Record<string, string>>;
}

/** A work tree of a million files takes this long. After this time, the turn ends without the observation. */
export const LOOK_TIMEOUT_MS = 60_000;

/** Observes the repository in a directory. Undefined when the directory is not a repository. */
export async function lookAt(
  directory: string,
  before: RepositoryLook,
  { containment, env }: LookContext,
): Promise<LookResult | undefined> {
  const token = randomUUID();
  const output = await runContained(containment, '/bin/sh', ['-c', OBSERVE_SCRIPT, 'sh', token, before.tree], {
    cwd: directory,
    env,
    timeoutMs: LOOK_TIMEOUT_MS,
  });
  const parts = readParts(output.stdout, token);
  const text = (name: string): string => parts?.get(name)?.toString('utf8').trim() ?? '';
  if (parts === undefined || text('tree') === '') return undefined;
  return {
    look: {
      tree: text('tree'),
      branch: text('branch').replace(/^refs\/heads\//, ''),
      head: text('head'),
      refs: readRefs(parts.get('refs')),
    },
    modified: readNames(parts.get('modified')),
    dirty: readNames(parts.get('dirty')).length,
  };
}
