// The model's credentials. They are removed from the environment before any process can inherit them.
import type { Environment } from './environment.ts';
import { textOf } from './environment.ts';

const MODEL_VARIABLES = ['ANTHROPIC_API_KEY', 'CLAUDE_CODE_OAUTH_TOKEN', 'ANTHROPIC_BASE_URL'] as const;

/** Variables for the agent program. Kept in memory and sent to the runner. */
export type ModelCredentials = Readonly<Partial<Record<(typeof MODEL_VARIABLES)[number], string>>>;

export function modelCredentials(env: Environment): ModelCredentials {
  const found = MODEL_VARIABLES.map((name) => [name, textOf(env, name)] as const);
  return Object.freeze(Object.fromEntries(found.filter(([, value]) => value !== undefined)));
}

/** Why no model request can succeed with these credentials, or undefined. */
export function modelCredentialsProblem(credentials: ModelCredentials): string | undefined {
  return credentials.ANTHROPIC_API_KEY === undefined && credentials.CLAUDE_CODE_OAUTH_TOKEN === undefined
    ? 'neither ANTHROPIC_API_KEY nor CLAUDE_CODE_OAUTH_TOKEN is set: agents have no access to a model'
    : undefined;
}

/**
 * Removes all credentials from an environment, so that no process inherits them, such as a git hook or an agent's tool.
 * The worker's entry calls it with `process.env` after it has read the configuration.
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
