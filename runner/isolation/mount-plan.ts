// Which folders are covered for an agent, and what is shown through the covers. Decides only; see mount-script.ts.

/** An empty folder in the place of what lies at `path`, with the same contents as before at the shown paths below it. */
export interface Cover {
  readonly path: string;
  /** Everybody may write into it, as into /tmp. */
  readonly isOpen: boolean;
  readonly shows: readonly string[];
}

export interface PlanInput {
  /** Covered, whoever the agent is. */
  readonly hide: readonly string[];
  /** Covered by an empty folder into which everybody may write. */
  readonly open: readonly string[];
  /** Existing paths that the agent needs. */
  readonly needed: readonly string[];
  /** Whether the agent's user may pass through a folder. */
  readonly isPassable: (folder: string) => boolean;
}

/**
 * The covers in the order in which they are laid. A folder on the way to a needed path that the agent's user may not
 * pass is covered by one that it may: what else lies in it is out of its reach anyway. A path that is hidden and needed
 * is hidden.
 */
export function planCovers({ hide, open, needed, isPassable }: PlanInput): readonly Cover[] {
  const closed = needed.flatMap((path) => ancestorsOf(path).filter((folder) => !isPassable(folder)));
  const wanted = new Set([...hide, ...open, ...closed]);
  const covers: Cover[] = [];
  for (const path of [...wanted].sort((a, b) => a.length - b.length)) {
    // Below a cover there is nothing but what it shows.
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

/** From the root down, without the path itself and the root. */
function ancestorsOf(path: string): readonly string[] {
  const names = path.split('/').slice(1, -1);
  return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
}

function outermost(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)].filter((path) => !paths.some((other) => isBelow(path, other)));
}
