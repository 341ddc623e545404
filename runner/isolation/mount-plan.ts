// Decides which folders are covered for an agent and which paths below them are shown. mount-script.ts does it.

/** An empty folder mounted over `path`. Only the shown paths below it keep their contents. */
export interface Cover {
  readonly path: string;
  /** Every user may write to it, as to /tmp. */
  readonly isOpen: boolean;
  readonly shows: readonly string[];
}

export interface PlanInput {
  /** Always covered. */
  readonly hide: readonly string[];
  /** Covered by an empty folder to which every user may write. */
  readonly open: readonly string[];
  /** Existing paths that the agent needs. */
  readonly needed: readonly string[];
  /** Whether the agent's user may traverse a folder. */
  readonly isPassable: (folder: string) => boolean;
}

/**
 * The covers, in the order of mounting. A parent folder of a needed path that the agent's user may not traverse gets a
 * cover that it may: the user cannot reach other contents anyway. A path that is both hidden and needed is hidden.
 */
export function planCovers({ hide, open, needed, isPassable }: PlanInput): readonly Cover[] {
  const closed = needed.flatMap((path) => ancestorsOf(path).filter((folder) => !isPassable(folder)));
  const wanted = new Set([...hide, ...open, ...closed]);
  const covers: Cover[] = [];
  for (const path of [...wanted].sort((a, b) => a.length - b.length)) {
    // A cover hides everything below it except what it shows.
    const outer = covers.findLast((cover) => isBelow(path, cover.path));
    const isShown = outer === undefined || outer.shows.some((shown) => path === shown || isBelow(path, shown));
    if (isShown)
      covers.push({ path, isOpen: open.includes(path), shows: outermost(needed.filter((n) => isBelow(n, path))) });
  }
  return covers;
}

/** Whether a path lies below a folder; a folder does not lie below itself. */
export function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder === '/' ? '/' : `${folder}/`) && path !== folder;
}

/** Parent folders from the top down, without the root. */
function ancestorsOf(path: string): readonly string[] {
  const names = path.split('/').slice(1, -1);
  return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
}

function outermost(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)].filter((path) => !paths.some((other) => isBelow(path, other)));
}
