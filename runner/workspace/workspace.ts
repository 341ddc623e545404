// The checkouts of a machine. Creates missing ones.
import path from 'node:path';
import type { RepoSpec } from '../../contract/wire/agent.ts';
import { redactUrl } from '../../contract/wire/git-url.ts';
import type { MachinePaths } from '../machine-paths.ts';
import { readState, writeState } from '../state-file.ts';
import { makeCheckout, makeDirectory } from './checkout.ts';
import type { Checkout, CheckoutContext } from './checkout.ts';
import { directoryNames } from './directory-names.ts';

/** `<runner>/workspace.json`: directories whose checkout was completed. */
interface WorkspaceState {
  readonly done: readonly string[];
}

export class Workspace {
  readonly #paths: MachinePaths;
  readonly #context: CheckoutContext;
  readonly checkouts: readonly Checkout[];

  constructor(repos: readonly RepoSpec[], paths: MachinePaths, context: CheckoutContext) {
    this.#paths = paths;
    this.#context = context;
    const names = directoryNames(repos.map(({ clone_url }) => clone_url));
    this.checkouts = repos.map((spec, at) => ({
      spec,
      repo: redactUrl(spec.clone_url),
      directory: path.join(paths.work, names[at] ?? ''),
    }));
  }

  /** Working directory of the agent program: the checkout if there is exactly one, else the work folder. */
  get cwd(): string {
    const [only, ...more] = this.checkouts;
    return only !== undefined && more.length === 0 ? only.directory : this.#paths.work;
  }

  /** Creates the directories, so that the agent program can start in one before the clones are complete. */
  makeDirectories(): void {
    const { user } = this.#context.containment;
    for (const directory of [this.#paths.work, ...this.checkouts.map((each) => each.directory)]) {
      makeDirectory(directory, user);
    }
  }

  /**
   * Creates missing checkouts. A completed checkout belongs to the agent and is not changed. Tries every repository
   * before it throws the first failure. `finish` runs on each new checkout before it counts as completed.
   */
  async prepare(finish: (checkout: Checkout) => Promise<void> = async () => undefined): Promise<void> {
    const missing = this.checkouts.filter(({ directory }) => !this.#done().includes(directory));
    const results = await Promise.allSettled(
      missing.map(async ({ spec, directory }) => {
        const checkout = await makeCheckout(spec, directory, this.#context);
        await finish(checkout);
        writeState(this.#file, { done: [...this.#done(), directory] } satisfies WorkspaceState);
      }),
    );
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  #done(): readonly string[] {
    return readState<WorkspaceState>(this.#file)?.done ?? [];
  }

  get #file(): string {
    return path.join(this.#paths.runner, 'workspace.json');
  }
}
