// The agent's changes, for an assessor: the diff of each repository's work tree, with untracked files, against the
// commit at which the branch left its base.
import { randomUUID } from 'node:crypto';
import { runContained } from '../containment.ts';
import { LOOK_TIMEOUT_MS } from '../observation/look.ts';
import type { LookContext } from '../observation/look.ts';
import { readParts, WORK_TREE } from '../observation/script.ts';
import type { Checkout } from '../workspace/checkout.ts';

/** Bytes of one repository's diff: some fifty thousand tokens. A longer diff is cut, and a list names its files. */
const DIFF_BYTES = 200_000;
const STAT_BYTES = 20_000;

/**
 * Arguments: token, base branch or an empty word. Runs no program that the repository configures: no external diff and
 * no text conversion.
 */
const CHANGES_SCRIPT = `
token=$1 wanted=$2
part() { printf '\\n%s %s\\n' "$token" "$1"; }
${WORK_TREE}
base=
for ref in \${wanted:+"refs/remotes/origin/$wanted"} refs/remotes/origin/HEAD refs/remotes/origin/main refs/remotes/origin/master; do
  base=$(git merge-base HEAD "$ref" 2>/dev/null) && break
done
[ -n "$base" ] || base=$(git hash-object -t tree /dev/null)
part stat; git diff-tree -r --no-ext-diff --no-textconv --stat=120 "$base" "$tree" | head -c ${STAT_BYTES}
part diff; git diff-tree -r -p --no-color --no-ext-diff --no-textconv "$base" "$tree" | head -c ${DIFF_BYTES + 1}
part end
`;

/** The changes of all repositories as text. Names repositories that cannot be read. */
export async function changesText(checkouts: readonly Checkout[], context: LookContext): Promise<string> {
  const texts = await Promise.all(checkouts.map((checkout) => changesIn(checkout, context).catch(() => undefined)));
  return checkouts
    .map(({ repo, spec }, index) => {
      const title = `Repository ${repo}, branch ${spec.branch}`;
      return `## ${title}\n\n${texts[index] ?? 'Its changes cannot be read.'}`;
    })
    .join('\n\n');
}

async function changesIn(
  { directory, spec }: Checkout,
  { containment, env }: LookContext,
): Promise<string | undefined> {
  const token = randomUUID();
  const args = ['-c', CHANGES_SCRIPT, 'sh', token, spec.base_branch ?? ''];
  const output = await runContained(containment, '/bin/sh', args, { cwd: directory, env, timeoutMs: LOOK_TIMEOUT_MS });
  const parts = readParts(output.stdout, token);
  if (parts === undefined) return undefined;
  const diff = parts.get('diff') ?? Buffer.alloc(0);
  if (diff.length === 0) return 'Nothing has changed.';
  const text = diff.toString('utf8', 0, DIFF_BYTES);
  if (diff.length <= DIFF_BYTES) return fenced(text);
  return `${fenced(parts.get('stat')?.toString('utf8') ?? '')}\n\nThe beginning of it; read the files for the rest:\n\n${fenced(text)}`;
}

/** Puts the text into a code fence that is longer than any in the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`{3,}/g) ?? []).map((mark) => mark.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}diff\n${text.trim()}\n${fence}`;
}
