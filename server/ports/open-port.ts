// The way to a port of a machine, or the plain reason why there is none.
import type { Duplex } from 'node:stream';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { ServerParts } from '../parts.ts';
import { readPortToken } from './port-token.ts';
import { isReserved } from './reserved.ts';

/** A connection to the port, or what to answer instead. */
export type Opened =
  | { readonly kind: 'open'; readonly socket: Duplex; readonly port: number }
  | { readonly kind: 'refused'; readonly status: 404 | 502; readonly reason: string };

/** Connects to what the token leads to. Never throws: every way to fail has its reason. */
export async function openPort(parts: ServerParts, token: string): Promise<Opened> {
  const target = readPortToken(parts.signer, token);
  if (target === undefined) return { kind: 'refused', status: 404, reason: 'There is no such port.' };
  const { machine, port } = target;
  try {
    if (await isReserved(parts, port)) {
      return refused(`Port ${String(port)} is used by Murmur itself.`);
    }
    return { kind: 'open', socket: await (await parts.machines.connect(machine)).dial(port), port };
  } catch (error) {
    if (!(error instanceof MurmurError)) throw error;
    if (error.code === 'NOT_FOUND') return refused(`Machine ${machine} is gone: its agent has ended.`);
    return refused(`${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`);
  }
}

function refused(reason: string): Opened {
  return { kind: 'refused', status: 502, reason };
}
