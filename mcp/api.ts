// Translates tool calls into calls to the API server, over HTTP like every client.
import type { Settings, SettingsSource } from '../config/settings.ts';
import { loadSettings } from '../config/settings.ts';
import type { Environment } from '../config/environment.ts';
import type { AnswerOperation } from '../contract/operations/index.ts';
import type { ToolDescription } from '../contract/mcp-call.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { isAgentToken } from '../contract/wire/tokens.ts';
import type { CallOptions } from './session/session.ts';

/** Shared by the calls of one session. */
export interface ApiCaller {
  readonly env: Environment;
  readonly source: SettingsSource;
  /** Version of this program. */
  readonly version: string;
  readonly tools: readonly ToolDescription[];
}

/**
 * Calls the API server. Reads the settings for each call: during the session, the server may be started, or restarted
 * with another port and token. Throws UNAVAILABLE when no stack runs.
 */
export async function callApi(
  caller: ApiCaller,
  name: string,
  input: Readonly<Record<string, unknown>>,
  options: CallOptions,
): Promise<unknown> {
  const settings = await loadSettings(caller.env, caller.source);
  const { apiUrl: url, token } = settings;
  if (url === undefined) throw new MurmurError('UNAVAILABLE', 'no Murmur is running here', { hint: 'run `murmur up`' });
  // Loaded at the first call: MCP clients list the tools of every server and call few of them.
  const { createClient } = await import('../client/index.ts');
  const tool = caller.tools.find((each) => each.name === name);
  const body = await bodyOf(tool, name, input, caller, settings);
  const { traceparent, ...callOptions } = options;
  const client = createClient({ url, token, traceparent });
  // The tools come from the same registry that the client's types are made of.
  if (name === 'spawn' && input['each'] !== undefined) {
    const { spawnEach } = await import('../client/each.ts');
    return await spawnEach(client, body, callOptions);
  }
  const answer = await client.call(name as AnswerOperation, body, callOptions);
  return name === 'version' ? { client_version: caller.version, ...(answer as object) } : answer;
}

/** The input with configured defaults, and with the text of its flight. */
async function bodyOf(
  tool: ToolDescription | undefined,
  name: string,
  input: Readonly<Record<string, unknown>>,
  { source }: ApiCaller,
  settings: Settings,
): Promise<Readonly<Record<string, unknown>>> {
  const defaults = defaultsOf(tool, source, settings);
  if (name !== 'spawn' || input['flight'] === undefined) return { ...defaults, ...input };
  const { withFlight } = await import('../client/flight.ts');
  return await withFlight(input, defaults, source.cwd);
}

/** Configured values for missing arguments, as on the command line. */
function defaultsOf(
  tool: ToolDescription | undefined,
  { flags }: SettingsSource,
  { model, token, workspace }: Settings,
): Readonly<Record<string, unknown>> {
  // An agent's names are relative to itself, so the workspace that its repository configures does not apply.
  const ownWorkspace = token !== undefined && isAgentToken(token) ? flags?.workspace : workspace;
  return {
    ...(ownWorkspace !== undefined && has(tool, 'workspace') ? { workspace: ownWorkspace } : {}),
    ...(model !== undefined && has(tool, 'model') ? { model } : {}),
  };
}

function has(tool: ToolDescription | undefined, field: string): boolean {
  return tool !== undefined && field in tool.inputSchema.properties;
}
