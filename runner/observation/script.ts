// The observation of one repository as a shell script inside the isolation: one process start for all git commands. Its
// arguments are data, never code. Before each part of its output is a line with a token that no file name can contain.

/** Git settings that make the observation cheap and free of side effects, as the agent may configure the repository. */
const QUIET = '-c core.fsmonitor=false -c gc.auto=0 -c maintenance.auto=false -c core.hooksPath=/dev/null';

/** Longer lists of names are not useful, and a generated tree can have a million files. */
const NAMES_BYTES = 4 * 1024 * 1024;

/**
 * Writes the work tree, with untracked but without ignored files, as a tree object. Uses a copy of the index, so that
 * the agent's index does not change. `$tree` is empty when it fails.
 */
export const WORK_TREE = `
index=.git/murmur-index.$$
cp -p .git/index "$index" 2>/dev/null
GIT_INDEX_FILE="$index" git ${QUIET} add -A --ignore-errors >/dev/null 2>&1
tree=$(GIT_INDEX_FILE="$index" git ${QUIET} write-tree)
rm -f "$index" "$index.lock"
`;

/**
 * Arguments: token, and the tree of the last observation or an empty word. Compares the trees' ids first: most turns
 * change nothing, or nothing that is not committed.
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

/** The parts of the output by name; undefined when the script did not complete. */
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

/** Parses names that end in NUL. Invalid UTF-8 becomes replacement characters. */
export function readNames(part: Buffer | undefined): readonly string[] {
  return (part?.toString('utf8') ?? '').split('\0').filter((name) => name !== '');
}

/** Parses `<sha> <ref>` lines. */
export function readRefs(part: Buffer | undefined): Readonly<Record<string, string>> {
  const lines = (part?.toString('utf8') ?? '').split('\n').filter((line) => line !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const space = line.indexOf(' ');
      return [line.slice(space + 1), line.slice(0, space)];
    }),
  );
}
