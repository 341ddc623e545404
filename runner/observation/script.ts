// The look at one repository, as a shell script that runs inside the isolation: one start for all git commands. Its
// arguments are data, never code; each part of its output follows a line with a token that no file name can hold.

/** Git settings that keep the look cheap and without side effects in a repository that the agent may configure. */
const QUIET = '-c core.fsmonitor=false -c gc.auto=0 -c maintenance.auto=false -c core.hooksPath=/dev/null';

/** Names beyond this are of no use to anyone, and a generated tree can hold a million of them. */
const NAMES_BYTES = 4 * 1024 * 1024;

/**
 * Writes the work tree, untracked files included and ignored ones not, as a tree object by a copy of the index, so that
 * the agent's own index stays as it is. `$tree` is empty when that fails.
 */
export const WORK_TREE = `
index=.git/murmur-index.$$
cp -p .git/index "$index" 2>/dev/null
GIT_INDEX_FILE="$index" git ${QUIET} add -A --ignore-errors >/dev/null 2>&1
tree=$(GIT_INDEX_FILE="$index" git ${QUIET} write-tree)
rm -f "$index" "$index.lock"
`;

/**
 * Arguments: token, tree at the last look or an empty word. Trees are compared by name first: most turns change either
 * nothing or nothing that is not committed.
 */
export const OBSERVE_SCRIPT = `
token=$1 before=$2
part() { printf '\\n%s %s\\n' "$token" "$1"; }
names() { [ "$1" = "$2" ] || git diff-tree -r -z --no-renames --name-only "\${1:-$(git hash-object -t tree /dev/null)}" "$2" | head -c ${NAMES_BYTES}; }
${WORK_TREE}
commit= base=
{ read -r commit kind; read -r base rest; } <<END
$(printf 'HEAD^{commit}\\nHEAD^{tree}\\n' | git cat-file --batch-check='%(objectname) %(objecttype)')
END
[ "$kind" = commit ] || { commit=; base=; }
part tree; printf '%s' "$tree"
part branch; git symbolic-ref -q HEAD
part head; printf '%s' "$commit"
part refs; git for-each-ref --format='%(objectname) %(refname)' refs/heads refs/remotes
part dirty; names "$base" "$tree"
part modified; names "$before" "$tree"
part end
`;

/** The parts of the output by name; undefined when the script did not come to its end. */
export function readParts(output: Buffer, token: string): ReadonlyMap<string, Buffer> | undefined {
  const parts = new Map<string, Buffer>();
  const mark = Buffer.from(`\n${token} `);
  for (let at = output.indexOf(mark); at >= 0;) {
    const lineEnd = output.indexOf(10, at + 1);
    const next = output.indexOf(mark, lineEnd);
    parts.set(
      output.toString('utf8', at + mark.length, lineEnd),
      output.subarray(lineEnd + 1, next < 0 ? undefined : next),
    );
    at = next;
  }
  return parts.has('end') ? parts : undefined;
}

/** Names that end in NUL. A name that is not valid UTF-8 gets replacement characters. */
export function readNames(part: Buffer | undefined): readonly string[] {
  return (part?.toString('utf8') ?? '').split('\0').filter((name) => name !== '');
}

/** `<sha> <ref>` lines. */
export function readRefs(part: Buffer | undefined): Readonly<Record<string, string>> {
  const lines = (part?.toString('utf8') ?? '').split('\n').filter((line) => line !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const space = line.indexOf(' ');
      return [line.slice(space + 1), line.slice(0, space)];
    }),
  );
}
