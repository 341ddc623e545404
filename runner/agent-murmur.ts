// How an agent is a caller of Murmur: where its programs find the API, and the MCP server of its agent program. The
// token that lets it in comes with the session's secrets.
import type { McpServer } from './backends/backend.ts';
import { COMPANION } from './isolation/marker.ts';

/** Variables that `murmur` and its MCP server read, for a relay on this port; none without a relay. */
export function murmurEnvironment(relayPort: number | undefined): Readonly<Record<string, string>> {
  return relayPort === undefined ? {} : { MURMUR_API_URL: `http://127.0.0.1:${relayPort}` };
}

/** `murmur mcp`, from the machine's PATH. An interrupt must not end it: the agent program does not start it again. */
export function murmurServer(): Readonly<Record<string, McpServer>> {
  return { murmur: { command: 'murmur', args: ['mcp'], env: { [COMPANION]: '1' } } };
}
