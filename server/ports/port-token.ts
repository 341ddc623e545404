// What a port URL holds: port, machine and the name of the token that asked, in clear, and the server's signature. Nothing
// is kept, so nothing can be lost; the URL dies with the agent, whose token and machine are never given again.
import type { Signer } from '../signer.ts';

/** A port of a machine. */
export interface MachinePort {
  readonly machine: string;
  readonly port: number;
}

/** A port that is shared. */
export interface SharedPort extends MachinePort {
  /** Name of the agent's token that asked. */
  readonly asker: string;
}

const TOKEN = /^([1-9]\d{0,4})\.([a-z][a-z0-9-]{0,62})\.([A-Za-z0-9-]{1,81})\.([A-Za-z0-9_-]{43})$/;

/** `<port>.<machine>.<asker>.<signature>`; the same for the same port and token. */
export function portToken(signer: Signer, shared: SharedPort): string {
  const { asker, machine, port } = shared;
  return `${String(port)}.${machine}.${asker}.${signer.sign('port', textOf(shared))}`;
}

/** What the token leads to; undefined for one that the server has not made. */
export function readPortToken(signer: Signer, token: string): SharedPort | undefined {
  const [, digits, machine = '', asker = '', signature = ''] = TOKEN.exec(token) ?? [];
  const shared = { machine, asker, port: Number(digits) };
  return signer.holds('port', textOf(shared), signature) ? shared : undefined;
}

function textOf({ asker, machine, port }: SharedPort): string {
  return `${machine}\n${String(port)}\n${asker}`;
}
