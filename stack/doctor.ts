// `murmur doctor`: checks everything that agents on this host need. A failing check does not stop the others.
import { stat, statfs } from 'node:fs/promises';
import { loadConfig } from '../config/config.ts';
import type { Config } from '../config/config.ts';
import { FULL_HINT, homePaths, murmurHome, userCacheFolder } from '../config/home.ts';
import type { HomePaths } from '../config/home.ts';
import { problemsOf } from '../config/preflight.ts';
import { compareVersions, findProgram, versionOf } from '../config/programs.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import type { Check } from './doctor/check.ts';
import { hostChecks } from './doctor/hosts.ts';
import { isolationChecks } from './doctor/isolation.ts';
import { temporalChecks } from './doctor/temporal.ts';
import { portProblem } from './ports.ts';
import type { WantedPorts } from './ports.ts';
import { isRunning } from './process.ts';
import { readRecord, runningRecord } from './record.ts';

export interface DoctorOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/** The first version with GIT_CONFIG_GLOBAL, through which an agent gets its own settings. */
const OLDEST_GIT = '2.32.0';

/** Murmur and its dependencies do not run on older versions. */
const OLDEST_NODE = '22.0.0';

/** Space for a checkout, its snapshot and the logs of one busy agent. With less, agents fail in various ways. */
const LEAST_DISK_BYTES = 1_000_000_000;

/** All checks, in the order in which to fix problems. Never throws for a problem. */
export async function diagnose({ env, cwd }: DoctorOptions): Promise<readonly Check[]> {
  const home = homePaths(murmurHome(env));
  const config = await loadConfig(env, { cwd }).catch((error: unknown) => asCheck('configuration', error));
  const checks = await Promise.all([
    Promise.resolve(nodeCheck()),
    gitCheck(env),
    ...('home' in config
      ? [preflight(config, env), ports(config), temporal(config, env), hosts(config, env)]
      : [Promise.resolve([config])]),
    permissionChecks(home),
    diskCheck(home),
    'home' in config ? isolationChecks(config.isolation, config) : isolationChecks('auto'),
  ]);
  return checks.flat();
}

function nodeCheck(): Check {
  const version = process.versions.node;
  const old = compareVersions(version, OLDEST_NODE) < 0;
  if (old)
    return { name: 'node', state: 'problem', message: `Node ${version} is too old`, fix: 'install Node 22 or newer' };
  return { name: 'node', state: 'ok', message: `Node ${version} at ${process.execPath}` };
}

/** Checks git's version. The preflight reports a missing git. */
async function gitCheck(env: NodeJS.ProcessEnv): Promise<readonly Check[]> {
  const git = findProgram(env, 'git');
  const printed = git === undefined ? undefined : await versionOf(git);
  if (git === undefined || printed === undefined) return [];
  const version = /\d+\.\d+(?:\.\d+)?/.exec(printed)?.[0] ?? '0.0.0';
  if (compareVersions(version, OLDEST_GIT) >= 0) return [{ name: 'git', state: 'ok', message: `${printed} at ${git}` }];
  const message = `git ${version} is too old: agents need ${OLDEST_GIT} or newer`;
  return [{ name: 'git', state: 'problem', message, fix: 'install a newer git' }];
}

/** The checks of config/preflight.ts: git, claude, credentials. */
async function preflight(config: Config, env: NodeJS.ProcessEnv): Promise<readonly Check[]> {
  const problems = await problemsOf(config, env);
  const found = problems.map((problem): Check => {
    const name = /_API_KEY/.test(problem.message) ? 'credentials' : subjectOf(problem.message);
    const state = problem.severity === 'error' ? 'problem' : 'warning';
    return { name, state, message: problem.message, fix: problem.fix };
  });
  const claudeIsFine = config.claude !== undefined && !found.some(({ name }) => name === 'claude');
  const fine: readonly Check[] = claudeIsFine ? [{ name: 'claude', state: 'ok', message: config.claude ?? '' }] : [];
  return [...fine, ...found];
}

function subjectOf(message: string): string {
  return ['MURMUR_HOME', 'claude', 'git'].find((subject) => message.includes(subject)) ?? 'setup';
}

/** Checks ports for a start. A running stack holds its own. */
async function ports(config: Config): Promise<readonly Check[]> {
  const running = await runningRecord(config.home);
  if (running !== undefined) {
    const url = running.server?.url ?? '';
    return [
      { name: 'stack', state: 'ok', message: `runs as process ${running.supervisor.pid.toString()}, API ${url}` },
    ];
  }
  const unsupervised = await unsupervisedCheck(config.home);
  if (unsupervised !== undefined) return [unsupervised];
  const which: readonly (keyof WantedPorts)[] = config.temporal.external ? ['api'] : ['api', 'temporal', 'temporalUi'];
  const problems = await Promise.all(which.map((each) => portProblem(each, config.ports[each])));
  const taken = problems.filter((problem) => problem !== undefined).map((problem) => asCheck('port', problem));
  if (taken.length > 0) return taken;
  const fixed = which.map((each) => config.ports[each]).filter((port) => port !== 0);
  const free = fixed.length === 0 ? 'free ports are chosen at the start' : `ports ${fixed.join(', ')} are free`;
  return [
    { name: 'stack', state: 'ok', message: 'Murmur is not running; `murmur up` starts it' },
    { name: 'port', state: 'ok', message: free },
  ];
}

/** The processes that a killed supervisor has left: they work on, but nothing restarts them. */
async function unsupervisedCheck(home: HomePaths): Promise<Check | undefined> {
  const record = await readRecord(home);
  const children = Object.entries(record?.children ?? {});
  const alive = await Promise.all(children.map(([, identity]) => isRunning(identity)));
  const left = children.filter((_child, index) => alive[index] === true).map(([name]) => name);
  if (record === undefined || left.length === 0) return undefined;
  const message = `the supervisor (process ${record.supervisor.pid.toString()}) has ended; ${left.join(', ')} still run`;
  return { name: 'stack', state: 'problem', message, fix: '`murmur up` replaces them; agents continue' };
}

async function temporal(config: Config, env: NodeJS.ProcessEnv): Promise<readonly Check[]> {
  return await temporalChecks(config, env, [userCacheFolder(env), config.home.cache]);
}

async function hosts(config: Config, env: NodeJS.ProcessEnv): Promise<readonly Check[]> {
  return await hostChecks(config, { env, oldestGit: OLDEST_GIT });
}

async function diskCheck(home: HomePaths): Promise<readonly Check[]> {
  try {
    const { bavail, bsize } = await statfs(home.root);
    const free = bavail * bsize;
    const message = `${(free / 1e9).toFixed(1)} GB free for ${home.root}`;
    if (free >= LEAST_DISK_BYTES) return [{ name: 'disk', state: 'ok', message }];
    return [{ name: 'disk', state: 'problem', message, fix: FULL_HINT }];
  } catch {
    return []; // the home is missing, which another check reports
  }
}

function asCheck(name: string, error: unknown): Check {
  if (error instanceof MurmurError) {
    return { name, state: 'problem', message: error.message, ...(error.hint === undefined ? {} : { fix: error.hint }) };
  }
  return { name, state: 'problem', message: error instanceof Error ? error.message : String(error) };
}

/** Group and others. */
const OPEN_TO_OTHERS = 0o077;

/** Only the owner may read tokens and secrets. Missing files are fine. */
async function permissionChecks(home: HomePaths): Promise<readonly Check[]> {
  const paths = [home.root, home.token, home.tokens, home.secrets, home.temporal.database];
  const found = await Promise.all(paths.map(openCheck));
  const open = found.filter((check) => check !== undefined);
  if (open.length > 0) return open;
  return [{ name: 'permissions', state: 'ok', message: `only its owner can read ${home.root}` }];
}

async function openCheck(path: string): Promise<Check | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || (found.mode & OPEN_TO_OTHERS) === 0) return undefined;
  const mode = (found.mode & 0o777).toString(8);
  return {
    name: 'permissions',
    state: 'problem',
    message: `${path} has mode ${mode}: other users of this machine can read it`,
    fix: `chmod go= ${path}`,
  };
}
