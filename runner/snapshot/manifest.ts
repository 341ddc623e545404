// The manifest of a snapshot. Its files are relative to the snapshot's directory.
import path from 'node:path';
import { MurmurError } from '../../contract/wire/errors.ts';
import { readState } from '../state-file.ts';

export interface RepositorySnapshot {
  /** Name of the checkout's directory in the work folder. */
  readonly directory: string;
  /** Clone URL without credentials. */
  readonly repo: string;
  /** Full ref of HEAD; empty when it is detached. */
  readonly branch: string;
  /** Commit at HEAD; empty before the first commit. */
  readonly head: string;
  /** Local branches, tags and the stash: ref → object. */
  readonly refs: Readonly<Record<string, string>>;
  /** `branch.*` settings, in order. */
  readonly tracking: readonly { readonly key: string; readonly value: string }[];
  /** Commit whose tree is the index; empty when the index equals HEAD. */
  readonly index: string;
  /** Commit whose tree is the work tree, including untracked files; empty when it equals HEAD. */
  readonly work: string;
  /** File with the entries of an index with conflicts, which a tree cannot represent. */
  readonly conflicts?: string;
  /** File with every object that origin lacks; absent when origin has all. */
  readonly bundle?: string;
}

export interface Manifest {
  readonly version: 1;
  readonly session_id: string;
  readonly backend: string;
  /** Working directory of the agent program. */
  readonly cwd: string;
  /** Journal position that the snapshot covers. */
  readonly seq: number;
  readonly repos: readonly RepositorySnapshot[];
  /** Files of the conversation, relative to HOME. In the snapshot they are below `home/`. */
  readonly transcripts: readonly string[];
}

export const MANIFEST = 'manifest.json';

export interface StoredSnapshot {
  readonly directory: string;
  readonly manifest: Manifest;
}

/** Reads a captured snapshot. Throws NOT_FOUND without a manifest, FAILED_PRECONDITION for one of another version. */
export function readManifest(directory: string): StoredSnapshot {
  const manifest = readState<Manifest>(path.join(directory, MANIFEST));
  if (manifest === undefined) throw new MurmurError('NOT_FOUND', `there is no snapshot in ${directory}`, { hint: '' });
  if (manifest.version !== 1) {
    throw new MurmurError('FAILED_PRECONDITION', `the snapshot has version ${String(manifest.version)}, not 1`);
  }
  return { directory, manifest };
}
