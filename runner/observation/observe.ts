// What a turn changed: the difference between two observations of the repositories. The last one is stored on disk, so
// after a runner dies during a turn, the next turn reports its changes.
import type { RunnerTurnOutcome } from '../../contract/wire/runner.ts';
import type { BranchState, Commit } from '../../contract/wire/turns.ts';
import { runContained } from '../containment.ts';
import type { CallerGit } from '../git/caller-git.ts';
import { readState, writeState } from '../state-file.ts';
import type { Checkout } from '../workspace/checkout.ts';
import { newCommits, remoteMoves } from './history.ts';
import type { GitInRepository } from './history.ts';
import { LOOK_TIMEOUT_MS, NEVER_LOOKED, lookAt } from './look.ts';
import type { LookContext, RepositoryLook } from './look.ts';
import { originBranches } from './origin.ts';

export type Observation = Pick<RunnerTurnOutcome, 'files_modified' | 'commits' | 'pushes' | 'branches'>;

/** Most paths that a turn reports. */
const FILE_LIMIT = 1_000;
const COMMIT_LIMIT = 100;

/** The last observation of a repository, and the state of origin then. */
interface Baseline {
  readonly look: RepositoryLook;
  /** Commit of each branch on origin at the last query; null for a missing branch. */
  readonly origin: Readonly<Record<string, string | null>>;
  readonly branches: readonly BranchState[];
}

type Baselines = Readonly<Record<string, Baseline>>;

export interface ObserverOptions extends LookContext {
  readonly git: CallerGit;
  /** File with the last observations. */
  readonly file: string;
}

export class Observer {
  readonly #options: ObserverOptions;

  constructor(options: ObserverOptions) {
    this.#options = options;
  }

  /** Makes the first observation of a new checkout, so that its content does not count as the agent's work. */
  async begin(checkout: Checkout): Promise<void> {
    const found = await lookAt(checkout.directory, NEVER_LOOKED, this.#options);
    if (found === undefined) return;
    const { look } = found;
    const { branch } = checkout.spec;
    const onOrigin = look.refs[`refs/remotes/origin/${branch}`] ?? null;
    this.#save(checkout, {
      look,
      origin: { [branch]: onOrigin },
      branches: [branchState(checkout.repo, branch, look, onOrigin, found.dirty)].filter((each) => each.head !== ''),
    });
  }

  /** What changed since the last observation, in all checkouts. Observes them concurrently. */
  async observe(checkouts: readonly Checkout[]): Promise<Observation> {
    const each = await Promise.all(checkouts.map((checkout) => this.#observeOne(checkout)));
    return {
      files_modified: each.flatMap(({ files_modified }) => files_modified).slice(0, FILE_LIMIT),
      commits: each.flatMap(({ commits }) => commits).slice(-COMMIT_LIMIT),
      pushes: each.flatMap(({ pushes }) => pushes),
      branches: each.flatMap(({ branches }) => branches),
    };
  }

  async #observeOne(checkout: Checkout): Promise<Observation> {
    const last = this.#last(checkout) ?? { look: NEVER_LOOKED, origin: {}, branches: [] };
    const nothing = { files_modified: [], commits: [], pushes: [], branches: last.branches };
    // The turn must end even if the observation fails, for example because the repository was removed.
    const found = await lookAt(checkout.directory, last.look, this.#options).catch(() => undefined);
    if (found === undefined) return nothing;
    const { look, modified, dirty } = found;
    const git = this.#gitIn(checkout.directory);
    const isMoved = JSON.stringify([look.refs, look.head]) !== JSON.stringify([last.look.refs, last.look.head]);
    const [history, origin] = await Promise.all([
      isMoved ? historyOf(git, checkout.repo, last.look, look) : { commits: [], pushed: [] },
      this.#originOf(checkout, last, look, isMoved),
    ]);
    const branches = branchesOf(checkout, look).map((branch) =>
      branchState(checkout.repo, branch, look, origin[branch] ?? null, branch === look.branch ? dirty : 0),
    );
    this.#save(checkout, { look, origin, branches });
    const pushed = new Map(history.pushed.map((push) => [push.branch, push.sha]));
    // A push to a URL leaves no trace in the checkout, but the state of origin shows it.
    for (const { branch, head, pushed: isPushed } of branches) {
      if (isPushed && last.origin[branch] !== head && branch in last.origin) pushed.set(branch, head);
    }
    return {
      files_modified: modified,
      commits: history.commits,
      pushes: await this.#describe(git, checkout.repo, pushed, history.commits),
      branches,
    };
  }

  /** Queries origin only if its answer can differ from the last one. */
  async #originOf(
    { spec }: Checkout,
    last: Baseline,
    look: RepositoryLook,
    isMoved: boolean,
  ): Promise<Readonly<Record<string, string | null>>> {
    const branches = branchesOf({ spec }, look);
    const isSettled = branches.every((branch) => {
      const head = look.refs[`refs/heads/${branch}`];
      return last.origin[branch] === head || (last.origin[branch] === null && isOnOrigin(look, head));
    });
    if (!isMoved && isSettled) return last.origin;
    const found = await originBranches(this.#options.git, spec, branches);
    const tracked = (branch: string): string | null => look.refs[`refs/remotes/origin/${branch}`] ?? null;
    return Object.fromEntries(
      branches.map((branch) => [branch, found === undefined ? tracked(branch) : (found.get(branch) ?? null)]),
    );
  }

  /** Adds subjects to the pushed commits. Those of the turn itself have them already. */
  async #describe(
    git: GitInRepository,
    repo: string,
    pushed: ReadonlyMap<string, string>,
    commits: readonly Commit[],
  ): Promise<readonly Commit[]> {
    const subjects = new Map(commits.map(({ sha, subject }) => [sha, subject]));
    const unknown = [...new Set(pushed.values())].filter((sha) => !subjects.has(sha));
    if (unknown.length > 0) {
      const log = await git(['log', '--no-walk=unsorted', '--format=%H%x00%s', ...unknown, '--']);
      for (const line of (log ?? '').split('\n')) subjects.set(line.split('\0')[0] ?? '', line.split('\0')[1] ?? '');
    }
    return [...pushed].map(([branch, sha]) => ({ repo, branch, sha, subject: subjects.get(sha) ?? '' }));
  }

  #gitIn(directory: string): GitInRepository {
    const { containment, env } = this.#options;
    return async (args, input) => {
      const limits = { cwd: directory, env, timeoutMs: LOOK_TIMEOUT_MS, ...(input === undefined ? {} : { input }) };
      try {
        const { code, stdout } = await runContained(containment, 'git', args, limits);
        return code === 0 ? stdout.toString('utf8') : undefined;
      } catch {
        return undefined;
      }
    };
  }

  #last({ directory }: Checkout): Baseline | undefined {
    return readState<Baselines>(this.#options.file)?.[directory];
  }

  #save({ directory }: Checkout, baseline: Baseline): void {
    writeState(this.#options.file, { ...readState<Baselines>(this.#options.file), [directory]: baseline });
  }
}

async function historyOf(
  git: GitInRepository,
  repo: string,
  before: RepositoryLook,
  after: RepositoryLook,
): Promise<{ readonly commits: readonly Commit[]; readonly pushed: readonly { branch: string; sha: string }[] }> {
  const { pushed, fetched } = await remoteMoves(git, before, after);
  return { commits: await newCommits(git, repo, before, after, fetched), pushed };
}

/** The working branch and, if the agent switched, the current branch. */
function branchesOf({ spec }: Pick<Checkout, 'spec'>, look: RepositoryLook): readonly string[] {
  const names = new Set([spec.branch, look.branch]);
  return [...names].filter((name) => look.refs[`refs/heads/${name}`] !== undefined);
}

/** Whether a remote branch points to the commit: then the branch has nothing to push. */
function isOnOrigin(look: RepositoryLook, sha: string | undefined): boolean {
  return Object.entries(look.refs).some(([ref, tip]) => ref.startsWith('refs/remotes/') && tip === sha);
}

function branchState(
  repo: string,
  branch: string,
  look: RepositoryLook,
  origin: string | null,
  dirty: number,
): BranchState {
  const head = look.refs[`refs/heads/${branch}`] ?? '';
  return { repo, branch, head, pushed: head !== '' && origin === head, dirty_files: dirty };
}
