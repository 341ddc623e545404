// Clones a repository and checks out its working branch.
import { lchownSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { RepoSpec } from '../../contract/wire/agent.ts';
import { inFolder } from '../backends/agent-folder.ts';
import type { WrittenScripts } from '../broker/scripts.ts';
import type { Isolation } from '../isolation/port.ts';
import { runContained } from '../containment.ts';
import type { CallerGit } from '../git/caller-git.ts';
import { shellWord } from '../git/config-file.ts';
import { parseGitUrl, redactUrl } from '../../contract/wire/git-url.ts';
import { runOnRemote } from './caller-remote.ts';
import { branchMissing, remoteError } from './clone-errors.ts';

/** Cloning a large repository over a slow network may take this long. The caller's limit is usually shorter. */
const CLONE_TIMEOUT_MS = 60 * 60_000;
/** Commands on refs and configuration of a new clone take seconds even under load. */
const REF_TIMEOUT_MS = 60_000;

export interface CheckoutContext {
  readonly git: CallerGit;
  readonly containment: Isolation;
  readonly scripts: WrittenScripts;
  /** Folder of incomplete clones. Only the runner sees it. */
  readonly clones: string;
  /** Environment of git inside the isolation. */
  readonly env: Readonly<Record<string, string>>;
}

/** A repository of the workspace. */
export interface Checkout {
  readonly spec: RepoSpec;
  /** Clone URL without credentials. */
  readonly repo: string;
  /** Absolute path. */
  readonly directory: string;
}

/**
 * Clones into `directory`, which exists, belongs to the agent and may have files of a killed attempt. The agent cannot
 * see the clone until it is moved there. From then on, git accesses it inside the isolation only.
 */
export async function makeCheckout(spec: RepoSpec, directory: string, context: CheckoutContext): Promise<Checkout> {
  checkBranchName(spec.branch);
  const clone = path.join(context.clones, path.basename(directory));
  rmSync(clone, { recursive: true, force: true });
  mkdirSync(context.clones, { recursive: true, mode: 0o700 });
  try {
    await cloneBare(spec, clone, context);
    const start = await setBranch(spec, clone, context);
    await setRemote(spec, clone, context);
    await moveInto(directory, clone, context);
    if (start !== undefined) await checkOut(directory, context);
  } finally {
    rmSync(clone, { recursive: true, force: true });
  }
  return { spec, repo: redactUrl(spec.clone_url), directory };
}

/**
 * Clones without checkout. The checkout runs inside the isolation, because the repository defines filters and
 * attributes.
 */
async function cloneBare(spec: RepoSpec, clone: string, { git }: CheckoutContext): Promise<void> {
  // No template: the caller's hooks would use files that the agent cannot see. Not --local: with hard links, the change
  // of owner would apply to the origin's files.
  const options = ['--quiet', '--no-checkout', '--origin', 'origin', '--template=', '--no-local'];
  const { code, stderr } = await runOnRemote(
    git,
    spec,
    (url, more) => ['clone', ...options, ...more, '--', url, clone],
    {
      timeoutMs: CLONE_TIMEOUT_MS,
    },
  );
  if (code !== 0) throw remoteError(spec.clone_url, stderr);
}

/** Sets HEAD to the working branch: origin's if it exists, else a new one. Undefined for an empty repository. */
async function setBranch(spec: RepoSpec, clone: string, context: CheckoutContext): Promise<string | undefined> {
  const git = inClone(clone, context);
  const refs = await remoteBranches(git);
  const local = `refs/heads/${spec.branch}`;
  await git('symbolic-ref', 'HEAD', local);
  if (refs.size === 0 && spec.base_branch === undefined) return undefined;
  const continued = refs.get(spec.branch);
  const start = continued ?? refs.get(spec.base_branch ?? 'HEAD');
  if (start === undefined) throw branchMissing(spec.clone_url, spec.base_branch ?? 'HEAD');
  await git('update-ref', local, start);
  if (continued !== undefined) {
    await git('config', `branch.${spec.branch}.remote`, 'origin');
    await git('config', `branch.${spec.branch}.merge`, local);
  }
  return start;
}

async function remoteBranches(git: (...args: string[]) => Promise<string>): Promise<ReadonlyMap<string, string>> {
  const list = await git('for-each-ref', '--format=%(objectname) %(refname)', 'refs/remotes/origin');
  const lines = list.split('\n').filter((line) => line !== '');
  return new Map(
    lines.map((line) => {
      const space = line.indexOf(' ');
      return [line.slice(space + 1 + 'refs/remotes/origin/'.length), line.slice(0, space)] as const;
    }),
  );
}

/** Configures the remote for the agent's git: no password, and the broker for a repository on the caller's disk. */
async function setRemote(spec: RepoSpec, clone: string, context: CheckoutContext): Promise<void> {
  const git = inClone(clone, context);
  // The spec's URL, even if the remote has moved and was cloned from another one.
  await git('config', 'remote.origin.url', redactUrl(spec.clone_url));
  if (parseGitUrl(spec.clone_url).kind !== 'local') return;
  await git('config', 'remote.origin.uploadpack', shellWord(context.scripts.local['git-upload-pack']));
  await git('config', 'remote.origin.receivepack', shellWord(context.scripts.local['git-receive-pack']));
}

/**
 * Empties the directory and moves the clone there. Keeps its inode: the agent program may use it as working directory.
 */
async function moveInto(directory: string, clone: string, { containment, env }: CheckoutContext): Promise<void> {
  const names = inFolder(path.dirname(directory), [path.basename(directory)], (folder) => readdirSync(folder));
  const left = names.map((name) => path.join(directory, name));
  if (left.length > 0) {
    const { code, stderr } = await runContained(containment, 'rm', ['-rf', '--', ...left], {
      cwd: path.dirname(directory),
      env,
      timeoutMs: REF_TIMEOUT_MS,
    });
    if (code !== 0) throw new MurmurError('INTERNAL', `${directory} cannot be emptied: ${stderr.trim()}`);
  }
  const { user } = containment;
  if (user !== undefined) {
    // A separate program: a hundred thousand files would block the runner's only thread.
    await promisify(execFile)('chown', ['-R', '-h', `${user.uid}:${user.gid}`, '--', clone]);
  }
  inFolder(path.dirname(directory), [path.basename(directory)], (folder) => {
    renameSync(path.join(clone, '.git'), path.join(folder, '.git'));
  });
}

async function checkOut(directory: string, { containment, env }: CheckoutContext): Promise<void> {
  const { code, stderr } = await runContained(containment, 'git', ['reset', '--hard', '--quiet'], {
    cwd: directory,
    env,
    timeoutMs: CLONE_TIMEOUT_MS,
  });
  if (code !== 0) throw new MurmurError('FAILED_PRECONDITION', `git cannot check out ${directory}: ${stderr.trim()}`);
}

function inClone(clone: string, { git }: CheckoutContext): (...args: string[]) => Promise<string> {
  return async (...args) => {
    // Otherwise the caller's hooks would run on refs that an agent named.
    const { code, stdout, stderr } = await git.run(['-c', 'core.hooksPath=/dev/null', ...args], {
      cwd: clone,
      timeoutMs: REF_TIMEOUT_MS,
    });
    if (code !== 0) throw new MurmurError('FAILED_PRECONDITION', `git ${args[0] ?? ''} failed: ${stderr.trim()}`);
    return stdout.toString('utf8');
  };
}

/** Git checks its own rules at the first command. A leading dash must not become an option before that. */
function checkBranchName(branch: string): void {
  if (!/^-|^$|[\s~^:?*[\\\p{Cc}]|\.\.|@\{|\/\/|\/$|\.lock$|^\/|\.$/u.test(branch)) return;
  throw new MurmurError('INVALID_ARGUMENT', `${JSON.stringify(branch)} is not a valid branch name`, {
    details: { branch },
  });
}

/** Creates a directory of the agent, in which its program can start before the clone. An existing one is unchanged. */
export function makeDirectory(directory: string, user: Isolation['user']): void {
  if (lstatSync(directory, { throwIfNoEntry: false }) !== undefined) return;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (user !== undefined) lchownSync(directory, user.uid, user.gid);
}
