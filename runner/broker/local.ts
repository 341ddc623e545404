// A repository on the owner's disk, served to the agent by the owner's git. Programs that the repository's
// configuration or hooks name are not run: git gets a configuration of its own, and settings that override the repository's.
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
  /** The runner's own folder, which only the owner sees. */
  readonly runner: string;
  /** The owner's environment. */
  readonly env: NodeJS.ProcessEnv;
  /** The agent's user, when it is not the owner. */
  readonly user: { readonly uid: number } | undefined;
}

export interface LocalCommand {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** The programs that git starts for fetch and push. `git-upload-archive` runs filters of the repository's configuration. */
const SERVICES = ['git-upload-pack', 'git-receive-pack'];
/** Folders of a machine, see machine-paths.ts. */
const MACHINE_FOLDERS = ['home', 'work', 'run', 'runner', 'isolation'];
/** How git starts, speaks and finds its libraries; nothing that names a program or a configuration. */
const KEPT = ['PATH', 'TZ', 'TMPDIR', 'USER', 'LOGNAME', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'MURMUR_MACHINE'];
/** Reading configuration starts no program: ten seconds are for a machine under load. */
const CONFIG_TIMEOUT_MS = 10_000;

/** On the command line, as these go before the repository's configuration in every version of git. */
const SETTINGS = [
  'core.hooksPath=/dev/null',
  // A command that prints nothing: without a value git would look for one again.
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

/** Git's command for the request, or why it is refused. */
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

/** Real paths: git's directory, the one that it shares with other work trees, and the folder that was named. */
function placesOf(directory: string): readonly string[] | undefined {
  try {
    const named = realpathSync(directory);
    // In the order in which git looks.
    for (const candidate of [`${named}/.git`, named, `${named}.git/.git`, `${named}.git`]) {
      const found = gitDirectory(candidate);
      if (found !== undefined) return [found, path.resolve(found, textOf(`${found}/commondir`) ?? '.'), named];
    }
  } catch {
    // It is not there.
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

/** Why an agent could have written what lies there. */
function problemOf(place: string, { runner, user }: LocalOptions): string | undefined {
  const machines = realpathSync(path.dirname(path.dirname(runner)));
  const [machine, folder = ''] = path.relative(machines, place).split(path.sep);
  if (machine !== '..' && MACHINE_FOLDERS.includes(folder)) return `${place} lies in the folders of an agent`;
  if (user === undefined) return undefined;
  const { uid, mode } = statSync(place);
  if (uid === user.uid) return `${place} belongs to an agent`;
  return (mode & 0o002) === 0 ? undefined : `${place} can be written by everybody, agents included`;
}

/** A home of its own for git: its configuration trusts these places, and says nothing else. */
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
    // A repository that lacks objects may name the remote, and with it the program, from which they come.
    GIT_NO_LAZY_FETCH: '1',
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_TERMINAL_PROMPT: '0',
    GIT_PAGER: 'cat',
    LC_ALL: 'C',
  };
}

/** With what depends on the repository's own configuration. */
async function settingsFor(repository: string, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const args = [`--git-dir=${repository}`, 'config', '--includes', '--list', '-z'];
  const child = spawn('git', args, { cwd: '/', env, stdio: 'pipe', detached: true });
  const { stdout } = await childOutput(child, { timeoutMs: CONFIG_TIMEOUT_MS, end: ({ pid }) => endGroup(pid) });
  const config = parseConfigList(stdout.toString('utf8'));
  const current = config.findLast(({ key }) => key === 'receive.denycurrentbranch')?.value ?? '';
  const hooks = config.flatMap(({ key }) => /^hook\.(.+)\.[^.]+$/s.exec(key)?.[1] ?? []);
  return [
    ...SETTINGS,
    // `updateInstead` writes the work tree, with the filters that the configuration names.
    `receive.denyCurrentBranch=${/^(?:ignore|warn|false|no|off|0)$/i.test(current) ? current : 'refuse'}`,
    // Newer versions of git take hooks from the configuration as well.
    ...[...new Set(hooks)].flatMap((name) => [`hook.${name}.enabled=false`, `hook.${name}.command=true`]),
  ];
}
