// The settings that every command needs. Fast to load, for the start of the CLI: no Temporal, no zod.
// Precedence: flag, environment, murmur.local.yaml, murmur.yaml, default.
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { accountOfUser, workspaceProblem } from '../contract/wire/identity.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { readAgentFile } from './agent-file.ts';
import type { Environment } from './environment.ts';
import { textOf } from './environment.ts';
import type { HomePaths } from './home.ts';
import { homePaths, murmurHome } from './home.ts';
import { loadProject } from './project.ts';
import { readStackFile } from './stack-file.ts';

/** Values from the command line. They override all others. */
interface SettingFlags {
  readonly workspace?: string | undefined;
  readonly model?: string | undefined;
}

export interface SettingsSource {
  /** Start of the upward search for `.murmur/murmur.yaml`. */
  readonly cwd: string;
  readonly flags?: SettingFlags;
}

export interface Settings {
  readonly home: HomePaths;
  readonly workspace: string;
  /** When absent, the agent program's default. */
  readonly model?: string;
  readonly account: string;
  /** `MURMUR_API_URL`, on a machine that of the agent, or the embedded stack's; undefined when nothing was started. */
  readonly apiUrl?: string;
  /** `MURMUR_TOKEN`, on a machine the agent's, or the owner's token in MURMUR_HOME. */
  readonly token?: string;
}

/** Throws INVALID_ARGUMENT that names the source and the value. */
export async function loadSettings(env: Environment, source: SettingsSource): Promise<Settings> {
  const home = homePaths(murmurHome(env));
  const project = await loadProject(source.cwd, home.root);
  const model = source.flags?.model ?? textOf(env, 'MURMUR_MODEL') ?? project.model;
  const agent = readAgentFile(env);
  const apiUrl = textOf(env, 'MURMUR_API_URL') ?? agent?.api_url ?? readStackFile(home)?.server.url;
  const token = textOf(env, 'MURMUR_TOKEN') ?? agent?.token ?? readToken(home);
  return Object.freeze({
    home,
    workspace: workspaceOf(source.flags?.workspace ?? textOf(env, 'MURMUR_WORKSPACE') ?? project.workspace),
    ...(model === undefined ? {} : { model }),
    account: systemAccount(env),
    ...(apiUrl === undefined ? {} : { apiUrl: urlOf(apiUrl) }),
    ...(token === undefined ? {} : { token }),
  });
}

function workspaceOf(name = 'default'): string {
  const problem = workspaceProblem(name);
  if (problem !== undefined) throw new MurmurError('INVALID_ARGUMENT', problem, { details: { workspace: name } });
  return name;
}

function urlOf(text: string): string {
  if (/^https?:$/.test(URL.parse(text)?.protocol ?? '')) return text.replace(/\/+$/, '');
  throw new MurmurError(
    'INVALID_ARGUMENT',
    `MURMUR_API_URL is ${JSON.stringify(text)}: it needs an http or https URL`,
    {
      hint: 'correct or unset MURMUR_API_URL',
    },
  );
}

function systemAccount(env: Environment): string {
  try {
    return accountOfUser(userInfo().username);
  } catch {
    // In a container, the user id may be missing in the user database.
    return accountOfUser(textOf(env, 'USER') ?? textOf(env, 'LOGNAME') ?? '');
  }
}

function readToken(home: HomePaths): string | undefined {
  try {
    const token = readFileSync(home.token, 'utf8').trim();
    return token === '' ? undefined : token;
  } catch {
    return undefined;
  }
}
