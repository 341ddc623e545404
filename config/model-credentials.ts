// The credentials of the model, and how they leave the environment before anything can inherit them.
import type { Environment } from './environment.ts';
import { textOf } from './environment.ts';

const MODEL_VARIABLES = ['ANTHROPIC_API_KEY', 'CLAUDE_CODE_OAUTH_TOKEN', 'ANTHROPIC_BASE_URL'] as const;

/** Variables for the agent program; kept in memory, handed to the runner. */
export type ModelCredentials = Readonly<Partial<Record<(typeof MODEL_VARIABLES)[number], string>>>;

export function modelCredentials(env: Environment): ModelCredentials {
  const found = MODEL_VARIABLES.map((name) => [name, textOf(env, name)] as const);
  return Object.freeze(Object.fromEntries(found.filter(([, value]) => value !== undefined)));
}

/** Why no model request can succeed with them, or undefined. */
export function modelCredentialsProblem(credentials: ModelCredentials): string | undefined {
  return credentials.ANTHROPIC_API_KEY === undefined && credentials.CLAUDE_CODE_OAUTH_TOKEN === undefined
    ? 'neither ANTHROPIC_API_KEY nor CLAUDE_CODE_OAUTH_TOKEN is set: agents have no access to a model'
    : undefined;
}

/**
 * Removes every credential from an environment, once the configuration is read: a process started with it, such as a
 * git hook or an agent's tool, inherits none. Called by the worker's entry with `process.env`.
 */
export function dropCredentials(env: Record<string, string | undefined>): void {
  for (const name of [
    ...MODEL_VARIABLES,
    'ANTHROPIC_AUTH_TOKEN',
    'TEMPORAL_API_KEY',
    'MURMUR_TOKEN',
    'OTEL_EXPORTER_OTLP_HEADERS',
  ]) {
    delete env[name];
  }
}
