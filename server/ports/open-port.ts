// Opens a connection to a shared port of a machine.
import type { Duplex } from 'node:stream';
import { MurmurError } from '../../contract/wire/errors.ts';
import { parseWorkflowId } from '../../contract/wire/identity.ts';
import { machineOf } from '../../agents/machine.ts';
import type { AgentMachine } from '../../agents/machine.ts';
import type { ServerParts } from '../parts.ts';
import { livingToken } from '../token-name.ts';
import { dialHeld } from './held-port.ts';
import { readPortToken } from './port-token.ts';
import type { SharedPort } from './port-token.ts';

/** A connection to the port, or an error answer. */
export type Opened =
  | { readonly kind: 'open'; readonly socket: Duplex; readonly shared: SharedPort }
  | { readonly kind: 'refused'; readonly status: 404 | 502; readonly reason: string };

/** Connects to the token's port. Never throws a MurmurError: it resolves with the reason instead. */
export async function openPort(parts: ServerParts, token: string): Promise<Opened> {
  const shared = readPortToken(parts.signer, token);
  if (shared === undefined) return refused(404, 'There is no such port.');
  const { machine } = shared;
  try {
    const on = await sharedMachine(parts, shared);
    if (on === undefined) return refused(404, 'This URL has ended with its agent.');
    return { kind: 'open', socket: await dialHeld(on, shared.port), shared };
  } catch (error) {
    if (!(error instanceof MurmurError)) throw error;
    if (error.code === 'NOT_FOUND') return refused(502, `Machine ${machine} is gone: its agent has ended.`);
    return refused(502, `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`);
  }
}

/** The machine; undefined unless the requesting token is valid and the machine belongs to a living agent. */
async function sharedMachine(parts: ServerParts, { asker, machine }: SharedPort): Promise<AgentMachine | undefined> {
  const agent = parseWorkflowId((await livingToken(parts, asker))?.agent ?? '');
  if (agent === undefined) return undefined;
  try {
    const found = await machineOf(parts, agent);
    return found.name === machine ? found : undefined;
  } catch (error) {
    if (error instanceof MurmurError && ['NOT_FOUND', 'FAILED_PRECONDITION'].includes(error.code)) return undefined;
    throw error;
  }
}

function refused(status: 404 | 502, reason: string): Opened {
  return { kind: 'refused', status, reason };
}
