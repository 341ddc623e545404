// Restores a snapshot on a machine: the same paths, branches, HEAD, index, files and conversation.
import { chmodSync, constants, copyFileSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { MurmurError } from '../../contract/wire/errors.ts';
import { runContained } from '../containment.ts';
import type { MachineContext } from '../machine-context.ts';
import type { Checkout } from '../workspace/checkout.ts';
import type { RepositorySnapshot, StoredSnapshot } from './manifest.ts';
import { putTranscripts } from './transcripts.ts';

/** Checking out a large work tree may take this long. */
const RESTORE_TIMEOUT_MS = 10 * 60_000;

/**
 * Arguments: bundle, HEAD's ref, HEAD's commit, commit of the index, commit of the work tree. All but the third may be
 * empty words. Stdin: instructions for `update-ref`.
 */
const RESTORE_SCRIPT = `
set -e
bundle=$1 branch=$2 head=$3 index=\${4:-$3} work=\${5:-$3}
if [ -n "$bundle" ]; then
  git fetch --quiet --no-tags --no-write-fetch-head --no-auto-maintenance "$bundle" '+refs/*:refs/murmur/restored/*'
fi
git update-ref --stdin
if [ -n "$branch" ]; then git symbolic-ref HEAD "$branch"; else git update-ref --no-deref HEAD "$head"; fi
if [ -n "$work" ]; then git read-tree --reset -u "$work"; fi
if [ -n "$index" ]; then git read-tree "$index"; else git read-tree --empty; fi
git update-index -q --refresh || true
git for-each-ref --format='delete %(refname)' refs/murmur/restored | git update-ref --stdin
git config --local --name-only --get-regexp '^branch\\.' | sort -u | while read -r key; do
  git config --local --unset-all "$key"
done
`;

/** Restores the files of the conversation. Existing files stay. */
export async function restoreConversation(
  { directory, manifest }: StoredSnapshot,
  home: string,
  { containment }: Pick<MachineContext, 'containment'>,
): Promise<void> {
  await putTranscripts(manifest.transcripts, { source: path.join(directory, 'home'), home, user: containment.user });
}

/**
 * Restores the captured state in a new clone. No-op for a repository that is not in the snapshot. Throws
 * FAILED_PRECONDITION when origin no longer has the commits on which the bundle is based.
 */
export async function restoreWork(
  snapshot: StoredSnapshot,
  checkout: Checkout,
  context: Pick<MachineContext, 'containment' | 'env' | 'paths'>,
): Promise<void> {
  const name = path.basename(checkout.directory);
  const repository = snapshot.manifest.repos.find(({ directory }) => directory === name);
  if (repository === undefined) return;
  const { containment, env, paths } = context;
  const bundle = repository.bundle === undefined ? '' : path.join(paths.run, `restore-${repository.bundle}`);
  try {
    if (repository.bundle !== undefined) {
      // Copied, because the isolation hides the runner's folder.
      rmSync(bundle, { force: true });
      copyFileSync(path.join(snapshot.directory, repository.bundle), bundle, constants.COPYFILE_EXCL);
      chmodSync(bundle, 0o644);
    }
    const { branch, head, index, work } = repository;
    const args = ['-c', RESTORE_SCRIPT, 'sh', bundle, branch, head, index, work];
    const limits = { cwd: checkout.directory, env, timeoutMs: RESTORE_TIMEOUT_MS };
    const refs = await localRefs(checkout, context);
    const run = await runContained(containment, '/bin/sh', args, { ...limits, input: refUpdates(refs, repository) });
    if (run.code !== 0) throw restoreError(checkout, run.stderr);
    await restoreDetails(snapshot, repository, checkout, context);
  } finally {
    if (bundle !== '') rmSync(bundle, { force: true });
  }
}

/** Restores settings of branches and an index with conflicts. */
async function restoreDetails(
  snapshot: StoredSnapshot,
  { tracking, conflicts }: RepositorySnapshot,
  checkout: Checkout,
  { containment, env }: Pick<MachineContext, 'containment' | 'env'>,
): Promise<void> {
  const place = { cwd: checkout.directory, env, timeoutMs: RESTORE_TIMEOUT_MS };
  for (const { key, value } of tracking) {
    await runContained(containment, 'git', ['config', '--local', '--add', key, value], place);
  }
  if (conflicts === undefined) return;
  const input = readFileSync(path.join(snapshot.directory, conflicts));
  const script =
    'git read-tree --empty && git update-index -z --index-info && { git update-index -q --refresh || true; }';
  const run = await runContained(containment, '/bin/sh', ['-c', script], { ...place, input });
  if (run.code !== 0) throw restoreError(checkout, run.stderr);
}

async function localRefs(
  { directory }: Checkout,
  { containment, env }: Pick<MachineContext, 'containment' | 'env'>,
): Promise<readonly string[]> {
  const args = ['for-each-ref', '--format=%(refname)', 'refs/heads', 'refs/tags', 'refs/stash'];
  const { stdout } = await runContained(containment, 'git', args, {
    cwd: directory,
    env,
    timeoutMs: RESTORE_TIMEOUT_MS,
  });
  return stdout
    .toString('utf8')
    .split('\n')
    .filter((ref) => ref !== '');
}

/** Deletes come first: `a` must be removed before `a/b` can be created. */
function refUpdates(present: readonly string[], { refs }: RepositorySnapshot): string {
  const gone = present.filter((ref) => refs[ref] === undefined).map((ref) => `delete ${ref}\n`);
  const set = Object.entries(refs).map(([ref, object]) => `update ${ref} ${object}\n`);
  return [...gone, ...set].join('');
}

function restoreError({ repo }: Checkout, stderr: string): MurmurError {
  const said = stderr.trim().slice(-500);
  const isBehind = /prerequisite|bad object|unable to read|not our ref/i.test(stderr);
  return isBehind
    ? new MurmurError('FAILED_PRECONDITION', `${repo} no longer has the commits that the snapshot builds on: ${said}`)
    : new MurmurError('INTERNAL', `the snapshot of ${repo} cannot be restored: ${said}`);
}
