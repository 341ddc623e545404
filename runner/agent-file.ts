// Writes the file that names the machine's agent: programs may be started before the agent is known.
import path from 'node:path';
import { AGENT_ID } from '../contract/wire/agent-file.ts';
import type { AgentFile } from '../contract/wire/agent-file.ts';
import { defined } from '../contract/wire/defined.ts';
import type { OpenRequest } from '../contract/wire/runner.ts';
import { AGENT_TOKEN } from '../contract/wire/tokens.ts';
import { removePrivateFile, writePrivateFile } from './backends/private-file.ts';
import type { FileOwner } from './backends/private-file.ts';

const NAME = 'murmur.json';

/** The path of the file in the folder of the agent's files. */
export function agentFilePath(folder: string): string {
  return path.join(folder, NAME);
}

/**
 * Writes the agent's id, token and API address from the request.
 * @param relayPort the machine's port for the API server, if it has one
 */
export async function writeAgentFile(
  folder: string,
  { env }: Pick<OpenRequest, 'env'>,
  relayPort: number | undefined,
  owner: FileOwner | undefined,
): Promise<void> {
  const content: AgentFile = defined({
    agent: env[AGENT_ID],
    token: env[AGENT_TOKEN],
    api_url: relayPort === undefined ? undefined : `http://127.0.0.1:${relayPort}`,
  });
  await writePrivateFile(folder, NAME, `${JSON.stringify(content)}\n`, owner);
}

/** No-op when there is no file. */
export async function removeAgentFile(folder: string): Promise<void> {
  await removePrivateFile(folder, NAME);
}
