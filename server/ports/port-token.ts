// What a port URL holds: port and machine in clear, and the server's signature. Nothing is kept, so nothing can be lost;
// the URL dies with the machine, whose name is never given again.
import type { Signer } from '../signer.ts';

/** A port of a machine. */
export interface MachinePort {
  readonly machine: string;
  readonly port: number;
}

const TOKEN = /^([1-9]\d{0,4})\.([a-z][a-z0-9-]{0,62})\.([A-Za-z0-9_-]{43})$/;

/** `<port>.<machine>.<signature>`; the same for the same port. */
export function portToken(signer: Signer, { machine, port }: MachinePort): string {
  return `${String(port)}.${machine}.${signer.sign('port', textOf(machine, port))}`;
}

/** What the token leads to; undefined for one that the server has not made. */
export function readPortToken(signer: Signer, token: string): MachinePort | undefined {
  const [, digits, machine = '', signature = ''] = TOKEN.exec(token) ?? [];
  const port = Number(digits);
  return signer.holds('port', textOf(machine, port), signature) ? { machine, port } : undefined;
}

function textOf(machine: string, port: number): string {
  return `${machine}\n${String(port)}`;
}
