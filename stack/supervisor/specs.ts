// How worker and API server are started, with their environments.
import { entryOf, programEnvironment } from '../programs.ts';
import { FIRST_DESCRIPTOR, type Listeners } from '../network/listeners.ts';
import type { ChildSpec } from './child.ts';
import type { StackSettings } from './settings.ts';

/** The worker waits 10 s for short activities, and hands over turns in less. */
const WORKER_GRACE_MS = 15_000;

/** The server closes its streams at once and waits for open requests. */
const SERVER_GRACE_MS = 8_000;

/** Only the worker needs the model's credentials. Other processes must not have them in memory. */
const CREDENTIALS = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'];

export function workerSpec(settings: StackSettings, shared: NodeJS.ProcessEnv, env: NodeJS.ProcessEnv): ChildSpec {
  return nodeSpec('worker', settings, { ...env, ...shared }, WORKER_GRACE_MS);
}

/** The server listens on the inherited socket. */
export function serverSpec(
  settings: StackSettings,
  shared: NodeJS.ProcessEnv,
  env: NodeJS.ProcessEnv,
  sockets: Listeners['descriptors'],
): ChildSpec {
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => !CREDENTIALS.includes(name)));
  const spec = nodeSpec('server', settings, { ...own, ...shared }, SERVER_GRACE_MS);
  return { ...spec, args: [...spec.args, FIRST_DESCRIPTOR.toString()], sockets };
}

/** The settings that worker and server share with the supervisor; Temporal's address is in stack.json. */
export function sharedEnvironment(settings: StackSettings, apiPort: number): NodeJS.ProcessEnv {
  return {
    MURMUR_HOME: settings.home.root,
    MURMUR_API_PORT: apiPort.toString(),
    // Overrides the caller's value: agents of this stack must use this server.
    MURMUR_API_URL: `http://127.0.0.1:${apiPort.toString()}`,
  };
}

function nodeSpec(
  name: 'worker' | 'server',
  settings: StackSettings,
  env: NodeJS.ProcessEnv,
  graceMs: number,
): ChildSpec {
  const args = [settings.entries?.[name] ?? entryOf(name)];
  return { name, command: process.execPath, args, env: programEnvironment(env), graceMs };
}
