// Finds everything that would prevent agents from working on this host. The stack adds checks of its processes.
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import type { Config } from './config.ts';
import type { Environment } from './environment.ts';
import { textOf } from './environment.ts';
import { modelCredentialsProblem } from './model-credentials.ts';
import { claudeVersionProblem, findProgram, versionOf } from './programs.ts';

export interface Problem {
  /** `error`: no agent can work; `warning`: agents may work. */
  readonly severity: 'error' | 'warning';
  /** One sentence with the invalid value. */
  readonly message: string;
  /** What to do, as a phrase. */
  readonly fix: string;
}

/** All problems, in the order in which to fix them; empty without problems. */
export async function problemsOf(config: Config, env: Environment): Promise<readonly Problem[]> {
  const found = await Promise.all([homeProblem(config), gitProblem(env), claudeProblem(config, env)]);
  return [...found, keyProblem(config)].filter((problem) => problem !== undefined);
}

async function homeProblem(config: Config): Promise<Problem | undefined> {
  try {
    await access(config.home.root, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      severity: 'error',
      message: `MURMUR_HOME ${config.home.root} cannot be written: ${reason}`,
      fix: 'make it writable, or set MURMUR_HOME to a folder of yours',
    };
  }
}

async function gitProblem(env: Environment): Promise<Problem | undefined> {
  const git = findProgram(env, 'git');
  if (git !== undefined && (await versionOf(git)) !== undefined) return undefined;
  const message = git === undefined ? 'git is not on PATH' : `${git} does not run`;
  return { severity: 'error', message, fix: 'install git' };
}

async function claudeProblem(config: Config, env: Environment): Promise<Problem | undefined> {
  if (config.claude === undefined) {
    const chosen = textOf(env, 'MURMUR_CLAUDE');
    const message =
      chosen === undefined
        ? 'claude is not on PATH'
        : `MURMUR_CLAUDE is ${JSON.stringify(chosen)}, which is not a program`;
    return { severity: 'error', message, fix: 'install Claude Code: npm install -g @anthropic-ai/claude-code' };
  }
  const printed = await versionOf(config.claude);
  if (printed === undefined) {
    return { severity: 'error', message: `${config.claude} does not run`, fix: 'install Claude Code again' };
  }
  const message = claudeVersionProblem(printed);
  return message === undefined ? undefined : { severity: 'warning', message, fix: 'install a version in that range' };
}

function keyProblem(config: Config): Problem | undefined {
  const message = modelCredentialsProblem(config.modelCredentials);
  if (message === undefined) return undefined;
  const fix = 'set ANTHROPIC_API_KEY, or CLAUDE_CODE_OAUTH_TOKEN from `claude setup-token`, and run `murmur up` again';
  return { severity: 'error', message, fix };
}
