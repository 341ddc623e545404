// Captures the work in one repository that origin lacks, as a bundle.
import { randomUUID } from 'node:crypto';
import { createWriteStream, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { Isolation } from '../isolation/port.ts';
import { runContained } from '../containment.ts';
import { parseConfigList } from '../git/caller-git.ts';
import { WORK_TREE, readParts, readRefs } from '../observation/script.ts';
import type { Checkout } from '../workspace/checkout.ts';
import type { RepositorySnapshot } from './manifest.ts';
import type { Room } from './room.ts';

/** The first bundle of a large repository without an origin may take this long. */
const CAPTURE_TIMEOUT_MS = 10 * 60_000;

/** Author of the commits for index and work tree. They are never on a branch. */
const AUTHOR = `
export GIT_AUTHOR_NAME=murmur GIT_AUTHOR_EMAIL=murmur@localhost GIT_COMMITTER_NAME=murmur GIT_COMMITTER_EMAIL=murmur@localhost
`;

/**
 * Argument: token. An index with conflicts cannot be a tree. Its entries are listed, and a tree of all its blobs
 * includes them in the bundle.
 */
const CAPTURE_SCRIPT = `
token=$1
part() { printf '\\n%s %s\\n' "$token" "$1"; }
${AUTHOR}
head=$(git rev-parse -q --verify 'HEAD^{commit}')
base=$(git rev-parse -q --verify 'HEAD^{tree}')
copy=.git/murmur-index.$$
cp -p .git/index "$copy" 2>/dev/null
itree=$(GIT_INDEX_FILE="$copy" git write-tree 2>/dev/null)
rm -f "$copy" "$copy.lock"
if [ -z "$itree" ]; then
  part conflicts; git ls-files -s -z
  itree=$(git ls-files -s | sed -n -E '/^160000/d; s/^[0-9]+ ([0-9a-f]+) .*/100644 blob \\1\\t\\1/p' | sort -u | git mktree)
fi
${WORK_TREE}
keep() { if [ "$2" != "$base" ]; then git commit-tree \${head:+-p "$head"} -m "$1" "$2"; fi; }
part index; index=$(keep index "$itree"); printf '%s' "$index"
part work; work=$(keep work "$tree"); printf '%s' "$work"
part branch; git symbolic-ref -q HEAD
part head; printf '%s' "$head"
part refs; git for-each-ref --format='%(objectname) %(refname)' refs/heads refs/tags refs/stash
part tracking; git config --local -z --get-regexp '^branch\\.'
part missing; git rev-list --max-count=1 --ignore-missing HEAD --branches --tags '--glob=refs/stas[h]' $index $work --not --remotes=origin 2>/dev/null
part end
`;

/**
 * Git treats a glob without a wildcard as a folder, and refs/stash is a ref; hence the glob.
 * Arguments: commits of index and work tree; both may be empty words. Writes the bundle to stdout.
 */
const BUNDLE_SCRIPT = `
[ -z "$1" ] || git update-ref refs/murmur/index "$1"
[ -z "$2" ] || git update-ref refs/murmur/work "$2"
git symbolic-ref -q HEAD >/dev/null || git update-ref refs/murmur/head HEAD
git bundle create --quiet - --branches --tags '--glob=refs/stas[h]' '--glob=refs/murmur/*' --not --remotes=origin
status=$?
for ref in index work head; do git update-ref -d "refs/murmur/$ref"; done
exit $status
`;

export interface CaptureContext {
  readonly containment: Isolation;
  readonly env: Readonly<Record<string, string>>;
  readonly room: Room;
}

/**
 * Writes `<name>.bundle` and `<name>.index` to `target` if they are needed. Throws INTERNAL when git fails, and
 * RESOURCE_EXHAUSTED when the room is too small.
 */
export async function captureRepository(
  { directory, repo }: Checkout,
  target: string,
  name: string,
  { containment, env, room }: CaptureContext,
): Promise<RepositorySnapshot> {
  const token = randomUUID();
  const place = { cwd: directory, env };
  const output = await runContained(containment, '/bin/sh', ['-c', CAPTURE_SCRIPT, 'sh', token], {
    ...place,
    timeoutMs: CAPTURE_TIMEOUT_MS,
  });
  const parts = readParts(output.stdout, token);
  if (parts === undefined) {
    throw new MurmurError('INTERNAL', `${directory} cannot be captured: ${output.stderr.trim().slice(-300)}`);
  }
  const text = (part: string): string => parts.get(part)?.toString('utf8').trim() ?? '';
  const found = {
    directory: path.basename(directory),
    repo,
    branch: text('branch'),
    head: text('head'),
    refs: readRefs(parts.get('refs')),
    tracking: parseConfigList(parts.get('tracking')?.toString('utf8') ?? ''),
    index: text('index'),
    work: text('work'),
  };
  const conflicts = parts.get('conflicts');
  room.take(conflicts?.length ?? 0);
  if (conflicts !== undefined) writeFileSync(path.join(target, `${name}.index`), conflicts, { mode: 0o600 });
  const hasBundle = text('missing') !== '';
  if (hasBundle) {
    const child = containment.spawn('/bin/sh', ['-c', BUNDLE_SCRIPT, 'sh', found.index, found.work], place);
    await saveOutput(child, path.join(target, `${name}.bundle`), { directory, room });
  }
  return {
    ...found,
    ...(conflicts === undefined ? {} : { conflicts: `${name}.index` }),
    ...(hasBundle ? { bundle: `${name}.bundle` } : {}),
  };
}

/** Streams the bundle to the file: it can be larger than memory. */
async function saveOutput(
  child: ReturnType<Isolation['spawn']>,
  file: string,
  { directory, room }: { readonly directory: string; readonly room: Room },
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once('error', reject);
  child.once('close', (code) => resolve(code ?? 128));
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString('utf8')).slice(-1_000)));
  child.stdin.on('error', () => undefined);
  child.stdin.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), CAPTURE_TIMEOUT_MS);
  try {
    const saving = pipeline(room.fill(child.stdout), createWriteStream(file, { mode: 0o600 }));
    // When the room is too small, the pipe closes. Git then ends, and the script removes the refs that it created.
    const [ended, saved] = await Promise.allSettled([promise, saving]);
    if (saved.status === 'rejected') throw saved.reason;
    if (ended.status === 'rejected') throw ended.reason;
    const code = ended.value;
    if (code !== 0) throw new MurmurError('INTERNAL', `${directory} cannot be bundled: ${stderr.trim()}`);
  } finally {
    clearTimeout(timer);
  }
}
