// Shares files, ports and pages of agents under URLs.
import { MurmurError } from '../../contract/wire/errors.ts';
import { absolutePathOf } from '../../contract/wire/identity.ts';
import { addressOf } from '../address.ts';
import { lifeOf, notFound, requireAgent } from '../../agents/find.ts';
import { machineOf } from '../../agents/machine.ts';
import { pageKey } from '../page/page-key.ts';
import { requireHeld } from '../ports/held-port.ts';
import { portToken } from '../ports/port-token.ts';
import { publicUrl } from '../public-url.ts';
import { tokenName } from '../token-name.ts';
import type { Handler } from '../handler.ts';

/** The server cannot read the caller's files: clients have to send the content. */
export const upload: Handler<'upload'> = async (_parts, input) => {
  throw await Promise.resolve(
    new MurmurError('FAILED_PRECONDITION', `the API server cannot read ${JSON.stringify(input.path)}`, {
      hint: 'call it through `murmur mcp` or `murmur upload`, or send the content: PUT /v1/uploads/<filename>',
      details: { path: input.path },
    }),
  );
};

export const portUrl: Handler<'port_url'> = async (parts, { port }, call) => {
  const { agent } = call.caller;
  if (agent === undefined) {
    throw new MurmurError('FAILED_PRECONDITION', 'only an agent can share a port: that of its own machine', {
      hint: 'let the agent call port_url, or run `murmur url port` on its machine',
      details: { port },
    });
  }
  const machine = await machineOf(parts, agent);
  await requireHeld(machine, port);
  const shared = { machine: machine.name, port, asker: tokenName(call.token) };
  return `${publicUrl(parts, call)}/ports/${portToken(parts.signer, shared)}/`;
};

export const agentUrl: Handler<'agent_url'> = async (parts, input, call) => {
  const agent = addressOf(parts, call, input);
  await requireAgent(parts, agent);
  const url = `${publicUrl(parts, call)}${absolutePathOf(agent.identity)}`;
  if (!input.key) return url;
  // Other people read what an agent writes in messages and pull requests, so it must not get a key.
  if (call.caller.agent !== undefined) {
    throw new MurmurError('PERMISSION_DENIED', 'agents cannot get the key of a page', {
      hint: 'call agent_url without `key` and share that URL',
    });
  }
  const life = await lifeOf(parts, agent);
  if (life === undefined) throw notFound(agent);
  // A grant ends with the agent. One that was requested after its end is for the record.
  const grant = { agent: agent.id, spawnId: life.spawnId, forRecord: life.hasEnded, asker: tokenName(call.token) };
  return `${url}#key=${pageKey(parts.signer, grant)}`;
};
