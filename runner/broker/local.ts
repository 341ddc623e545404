// Serves a repository on the owner's disk to the agent, with the owner's git. Git gets its own configuration, and
// settings that override the repository's: it runs no program from the repository's configuration or hooks.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { childOutput } from '../child-output.ts';
import { parseConfigList } from '../git/caller-git.ts';
import { formatConfig } from '../git/config-file.ts';
import { endGroup } from '../process-group.ts';
import type { BrokerAccess } from './access.ts';

export interface LocalRequest {
  readonly service: string;
  readonly args: readonly string[];
}

export interface LocalOptions {
  /** The runner's own folder, which the agent cannot see. */
  readonly runner: string;
  /** The owner's environment. */
  readonly env: NodeJS.ProcessEnv;
  /** The agent's user, if it is not the owner. */
  readonly user: { readonly uid: number } | undefined;
}

export interface LocalCommand {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/**
 * The programs that git starts for fetch and push. `git-upload-archive` runs filters of the repository's configuration.
 */
const SERVICES = ['git-upload-pack', 'git-receive-pack'];
/** Folders of a machine, see machine-paths.ts. */
const MACHINE_FOLDERS = ['home', 'work', 'run', 'runner', 'isolation'];
/** Variables for PATH, locale and libraries. None of them names a program or a configuration. */
const KEPT = ['PATH', 'TZ', 'TMPDIR', 'USER', 'LOGNAME', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'MURMUR_MACHINE'];
/** Reading configuration starts no program. Ten seconds suffice on a machine under load. */
const CONFIG_TIMEOUT_MS = 10_000;

/** Passed on the command line: there they override the repository's configuration in every version of git. */
const SETTINGS = [
  'core.hooksPath=/dev/null',
  // A command that prints nothing. With an empty value, git would use its default.
  'core.alternateRefsCommand=true',
  'core.fsmonitor=false',
  'core.sshCommand=false',
  'core.askPass=false',
  'core.pager=cat',
  'credential.helper=',
  'gpg.program=false',
  'gpg.ssh.program=false',
  'gpg.x509.program=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'receive.autogc=false',
  'protocol.allow=never',
];

/** Git's command for the request, or the reason for a refusal. */
export async function localCommand(
  { service, args }: LocalRequest,
  access: BrokerAccess,
  options: LocalOptions,
): Promise<LocalCommand | { readonly refused: string }> {
  const [asked = '', ...more] = args;
  const directory = path.resolve('/', asked);
  if (!SERVICES.includes(service) || more.length > 0) return { refused: 'only git may use the repository' };
  if (!access.allowsPath(directory)) return { refused: `${asked} is not one of this agent's repositories` };
  const places = placesOf(directory);
  if (places === undefined) return { refused: `'${directory}' does not appear to be a git repository` };
  const problem = places.map((place) => problemOf(place, options)).find((each) => each !== undefined);
  if (problem !== undefined) return { refused: problem };
  const [repository = ''] = places;
  const env = environment([directory, ...places], options);
  const settings = await settingsFor(repository, env);
  return { args: [...settings.flatMap((each) => ['-c', each]), service.slice('git-'.length), repository], env };
}

/** Real paths of git's directory, of the one shared with other work trees, and of the named folder. */
function placesOf(directory: string): readonly string[] | undefined {
  try {
    const named = realpathSync(directory);
    // In git's order.
    for (const candidate of [`${named}/.git`, named, `${named}.git/.git`, `${named}.git`]) {
      const found = gitDirectory(candidate);
      if (found !== undefined) return [found, path.resolve(found, textOf(`${found}/commondir`) ?? '.'), named];
    }
  } catch {
    // The folder does not exist.
  }
  return undefined;
}

function gitDirectory(candidate: string): string | undefined {
  const stat = statSync(candidate, { throwIfNoEntry: false });
  if (stat?.isFile()) {
    const target = /^gitdir: (.+)$/.exec(textOf(candidate) ?? '')?.[1];
    return target === undefined ? undefined : realpathSync(path.resolve(path.dirname(candidate), target));
  }
  const isRepository = statSync(`${candidate}/HEAD`, { throwIfNoEntry: false }) !== undefined;
  return stat?.isDirectory() && isRepository ? realpathSync(candidate) : undefined;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trimEnd();
  } catch {
    return undefined;
  }
}

/** Why an agent may have written the place; undefined when it cannot. */
function problemOf(place: string, { runner, user }: LocalOptions): string | undefined {
  const machines = realpathSync(path.dirname(path.dirname(runner)));
  const [machine, folder = ''] = path.relative(machines, place).split(path.sep);
  if (machine !== '..' && MACHINE_FOLDERS.includes(folder)) return `${place} lies in the folders of an agent`;
  if (user === undefined) return undefined;
  const { uid, mode } = statSync(place);
  if (uid === user.uid) return `${place} belongs to an agent`;
  return (mode & 0o002) === 0 ? undefined : `${place} can be written by everybody, agents included`;
}

/** An environment with a separate HOME. Its git configuration only marks these places as safe. */
function environment(trusted: readonly string[], { runner, env }: LocalOptions): NodeJS.ProcessEnv {
  const home = path.join(runner, 'git-home');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const config = path.join(home, '.gitconfig');
  const entries = [...new Set(trusted)].map((value) => ({ key: 'safe.directory', value }));
  writeFileSync(config, formatConfig(entries), { mode: 0o600 });
  return {
    ...Object.fromEntries(KEPT.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))),
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: config,
    // A partial clone may name a remote, and so a program, for its missing objects.
    GIT_NO_LAZY_FETCH: '1',
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_TERMINAL_PROMPT: '0',
    GIT_PAGER: 'cat',
    LC_ALL: 'C',
  };
}

/** The settings, including those that depend on the repository's configuration. */
async function settingsFor(repository: string, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const args = [`--git-dir=${repository}`, 'config', '--includes', '--list', '-z'];
  const child = spawn('git', args, { cwd: '/', env, stdio: 'pipe', detached: true });
  const { stdout } = await childOutput(child, { timeoutMs: CONFIG_TIMEOUT_MS, end: ({ pid }) => endGroup(pid) });
  const config = parseConfigList(stdout.toString('utf8'));
  const current = config.findLast(({ key }) => key === 'receive.denycurrentbranch')?.value ?? '';
  const hooks = config.flatMap(({ key }) => /^hook\.(.+)\.[^.]+$/s.exec(key)?.[1] ?? []);
  return [
    ...SETTINGS,
    // `updateInstead` writes the work tree and so runs the filters of the configuration.
    `receive.denyCurrentBranch=${/^(?:ignore|warn|false|no|off|0)$/i.test(current) ? current : 'refuse'}`,
    // Newer versions of git also read hooks from the configuration.
    ...[...new Set(hooks)].flatMap((name) => [`hook.${name}.enabled=false`, `hook.${name}.command=true`]),
  ];
}
