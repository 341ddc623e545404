// The token in a port URL: port, machine and the name of the requesting token in clear text, and the server's
// signature. The server stores nothing. The URL ends with the agent, because its token and machine are never reused.
import type { Signer } from '../signer.ts';

/** A port of a machine. */
export interface MachinePort {
  readonly machine: string;
  readonly port: number;
}

/** A shared port. */
export interface SharedPort extends MachinePort {
  /** Name of the agent's token that requested the URL. */
  readonly asker: string;
}

const TOKEN = /^([1-9]\d{0,4})\.([a-z][a-z0-9-]{0,62})\.([A-Za-z0-9-]{1,81})\.([A-Za-z0-9_-]{43})$/;

/** `<port>.<machine>.<asker>.<signature>`. Deterministic. */
export function portToken(signer: Signer, shared: SharedPort): string {
  const { asker, machine, port } = shared;
  return `${String(port)}.${machine}.${asker}.${signer.sign('port', textOf(shared))}`;
}

/** The token's port; undefined for a token that the server did not issue. */
export function readPortToken(signer: Signer, token: string): SharedPort | undefined {
  const [, digits, machine = '', asker = '', signature = ''] = TOKEN.exec(token) ?? [];
  const shared = { machine, asker, port: Number(digits) };
  return signer.holds('port', textOf(shared), signature) ? shared : undefined;
}

function textOf({ asker, machine, port }: SharedPort): string {
  return `${machine}\n${String(port)}\n${asker}`;
}
