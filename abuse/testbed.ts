// The testbed of attacks: an owner, the real stack in one isolation, a scripted model, a hostile agent and a sibling.
import { chown, copyFile, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { createClient } from '../client/index.ts';
import { userCacheFolder } from '../config/home.ts';
import type { StackRecord } from '../contract/stack.ts';
import { startScriptedModel } from '../demo/model/scripted-model.ts';
import { cachedBinary } from '../stack/temporal/cache.ts';
import { spawnHostile, type HostileAgent, type HostileHost } from './hostile.ts';
import { CANARIES, makeOwner, type Owner } from './owner.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** A user id that owns nothing and needs no entry in /etc/passwd. */
const NOBODY = 65_534;
/** The first `up` bundles the workflows, which takes some tens of seconds on two slow cores. In milliseconds. */
const COMMAND_MS = 120_000;

/** The isolations in which attacks are run. */
export const ISOLATIONS = ['root', 'user', 'tracking'] as const;
/** `root`, `user`: namespaces, with Murmur run as root or as an ordinary user. `tracking`: no namespaces. */
export type IsolationName = (typeof ISOLATIONS)[number];

export interface Testbed extends HostileHost, AsyncDisposable {
  readonly isolation: IsolationName;
  /** Contains all other files; removed at the end. */
  readonly folder: string;
  /** User of the owner's processes. */
  readonly uid: number;
  /** MURMUR_HOME. */
  readonly home: string;
  /** Path of the `murmur` program. */
  readonly program: string;
  readonly hostile: HostileAgent;
  /** An agent of the same owner that is not a descendant of the hostile one. */
  readonly sibling: HostileAgent;
  /** Runs `murmur` as the owner; resolves for any exit status. */
  murmur(...args: readonly string[]): Promise<{ readonly exitCode: number; readonly output: string }>;
  /** Runs a shell script as the owner. Throws when it fails. */
  asOwner(script: string): Promise<void>;
  /** Spawns another agent, which the caller has to kill. */
  spawn(slug: string, repository?: string): Promise<HostileAgent>;
  record(): Promise<StackRecord>;
}

export interface TestbedOptions {
  /** Path of the `murmur` program; this checkout's unless given. */
  readonly program?: string;
}

/** Why attacks cannot be run in an isolation on this machine; undefined if they can. */
export async function testbedProblem(isolation: IsolationName): Promise<string | undefined> {
  const isRoot = process.getuid?.() === 0;
  if (process.platform !== 'linux') return 'the attacks are written for Linux';
  if (isolation === 'root') return isRoot ? await namespaceProblem([]) : 'needs root';
  if (!isRoot) return isolation === 'user' ? await namespaceProblem(['--user', '--map-current-user']) : undefined;
  const { exitCode } = await execa('setpriv', [...asUser(NOBODY), 'test', '-r', join(ROOT, 'package.json')], {
    reject: false,
  });
  if (exitCode !== 0) return `an ordinary user cannot read ${ROOT}`;
  return undefined;
}

async function namespaceProblem(more: readonly string[]): Promise<string | undefined> {
  const { exitCode } = await execa('unshare', [...more, '--pid', '--fork', '--mount', 'true'], { reject: false });
  return exitCode === 0 ? undefined : 'this machine has no namespaces';
}

function asUser(uid: number): readonly string[] {
  return ['--reuid', String(uid), '--regid', String(uid), '--clear-groups', '--'];
}

/** Starts the testbed. Disposing ends all its processes and removes the folder. */
export async function openTestbed(isolation: IsolationName, options: TestbedOptions = {}): Promise<Testbed> {
  const isRoot = process.getuid?.() === 0;
  const uid = isRoot && isolation !== 'root' ? NOBODY : (process.getuid?.() ?? 0);
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'murmur-abuse-'));
  const model = await startScriptedModel();
  const owner = await makeOwner(folder, uid);
  const home = join(owner.home, '.murmur');
  const env = await ownersEnvironment(owner, model.url, isolation, uid);
  await writeSettings(home, uid);
  const program = options.program ?? join(ROOT, 'bin', 'murmur.js');

  const run = async (words: readonly string[]): ReturnType<Testbed['murmur']> => {
    const [file = '', ...rest] = uid === process.getuid?.() ? words : ['setpriv', ...asUser(uid), ...words];
    const done = await execa(file, rest, {
      ...{ env, extendEnv: false, cwd: owner.home, stdin: 'ignore', reject: false, all: true },
      timeout: COMMAND_MS,
    });
    return { exitCode: done.exitCode ?? -1, output: done.all };
  };
  const murmur: Testbed['murmur'] = (...args) => run([process.execPath, program, ...args]);
  const asOwner = async (script: string): Promise<void> => {
    const { exitCode, output } = await run(['sh', '-ec', script]);
    if (exitCode !== 0) throw new Error(`as the owner: ${output}`);
  };
  const close = async (): Promise<void> => {
    await murmur('down');
    await model.stop();
    await owner.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const { exitCode, output } = await murmur('up');
    if (exitCode !== 0) throw new Error(`murmur up exited with ${String(exitCode)}\n${output}`);
    const record = async (): Promise<StackRecord> =>
      JSON.parse(await readFile(join(home, 'stack.json'), 'utf8')) as StackRecord;
    const api = (await record()).server?.url ?? '';
    const token = (await readFile(join(home, 'token'), 'utf8')).trim();
    const base = { isolation, folder, owner, uid, home, api, program, model, murmur, asOwner, record };
    const testbed = { ...base, client: createClient({ url: api, token }) };
    const [hostile, sibling] = await Promise.all([spawnHostile(testbed, 'hostile'), spawnHostile(testbed, 'sibling')]);
    const spawn: Testbed['spawn'] = (slug, repository) => spawnHostile(testbed, slug, repository);
    return { ...testbed, hostile, sibling, spawn, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Lower than the default, so that a test of the limit does not need a gigabyte. */
export const UPLOADS_MB = 20;

async function writeSettings(home: string, uid: number): Promise<void> {
  await mkdir(home, { mode: 0o700 });
  const file = join(home, 'murmur.yaml');
  await writeFile(file, `limits:\n  uploads_mb: ${String(UPLOADS_MB)}\n`);
  for (const each of [home, file]) await chown(each, uid, uid);
}

async function ownersEnvironment(
  owner: Owner,
  modelUrl: string,
  isolation: IsolationName,
  uid: number,
): Promise<Record<string, string>> {
  const cache = join(owner.home, '.cache');
  const binary = cachedBinary(join(cache, 'murmur'));
  await mkdir(dirname(binary), { recursive: true });
  await copyFile(cachedBinary(userCacheFolder(process.env)), binary);
  for (const each of [cache, join(cache, 'murmur'), dirname(binary), binary]) await chown(each, uid, uid);
  return {
    ...owner.env,
    HOME: owner.home,
    USER: 'jane',
    PATH: [join(ROOT, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter),
    MURMUR_API_PORT: '0',
    MURMUR_TEMPORAL_PORT: '0',
    MURMUR_TEMPORAL_UI_PORT: '0',
    MURMUR_ISOLATION: isolation === 'tracking' ? 'tracking' : 'namespace',
    ANTHROPIC_BASE_URL: modelUrl,
    ANTHROPIC_API_KEY: CANARIES.modelKey,
  };
}
