// Ports of the embedded stack: the requested ones, or free ones.
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import getPort from 'get-port';
import { MurmurError } from '../contract/wire/errors.ts';
import type { DevServerPorts } from './temporal/dev-server.ts';
import { localhostAddresses, type ListenAddress } from './network/listeners.ts';

/** Requested ports; 0 means any free one. */
export interface WantedPorts {
  readonly temporal: number;
  readonly temporalUi: number;
  readonly api: number;
}

export interface StackPorts {
  readonly temporal: DevServerPorts;
  readonly api: number;
}

/** How to change a port. */
interface PortSetting {
  readonly what: string;
  readonly flag: string;
  readonly variable: string;
}

/** Port → how to change it. */
export const PORT_SETTINGS: Readonly<Record<keyof WantedPorts, PortSetting>> = {
  temporal: { what: 'Temporal', flag: '--temporal-port', variable: 'MURMUR_TEMPORAL_PORT' },
  temporalUi: { what: "Temporal's Web UI", flag: '--temporal-ui-port', variable: 'MURMUR_TEMPORAL_UI_PORT' },
  api: { what: 'the API server', flag: '--api-port', variable: 'MURMUR_API_PORT' },
};

/** The error for a requested port that is taken, or undefined. Port 0 is always available. */
export async function portProblem(which: keyof WantedPorts, port: number): Promise<MurmurError | undefined> {
  const addresses = which === 'temporalUi' ? localhostAddresses(port) : [{ host: '127.0.0.1', port }];
  const free = await Promise.all(port === 0 ? [] : addresses.map(isFree));
  if (free.every(Boolean)) return undefined;
  const { what, flag, variable } = PORT_SETTINGS[which];
  return new MurmurError('FAILED_PRECONDITION', `port ${port.toString()} for ${what} is taken by another program`, {
    hint: `end that program, or choose another port with ${flag} or ${variable} (0 takes a free one)`,
    details: { port, setting: variable },
  });
}

/** Chooses all ports. Throws FAILED_PRECONDITION for a needed port that is taken, or chosen twice. */
export async function choosePorts(wanted: WantedPorts, embedded: boolean, hasUi = embedded): Promise<StackPorts> {
  const needed: readonly (keyof WantedPorts)[] = [
    ...(embedded ? (['temporal'] as const) : []),
    ...(hasUi ? (['temporalUi'] as const) : []),
    'api',
  ];
  refuseSharedPort(wanted, needed);
  for (const which of needed) {
    const problem = await portProblem(which, wanted[which]);
    if (problem !== undefined) throw problem;
  }
  const free = async (port: number): Promise<number> =>
    port === 0 ? getPort({ host: '127.0.0.1', port: unassigned() }) : port;
  return {
    temporal: {
      grpc: await free(wanted.temporal),
      ui: await free(wanted.temporalUi),
      http: await free(0),
      metrics: await free(0),
    },
    api: await free(wanted.api),
  };
}

/** Throws FAILED_PRECONDITION when two of them are to listen on the same port. */
function refuseSharedPort(wanted: WantedPorts, needed: readonly (keyof WantedPorts)[]): void {
  for (const [index, which] of needed.entries()) {
    const port = wanted[which];
    const other = needed.slice(index + 1).find((later) => port !== 0 && wanted[later] === port);
    if (other === undefined) continue;
    const [first, second] = [PORT_SETTINGS[which], PORT_SETTINGS[other]];
    throw new MurmurError(
      'FAILED_PRECONDITION',
      `port ${port.toString()} is chosen for both ${first.what} and ${second.what}`,
      { hint: `choose another port with ${first.flag} or ${second.flag} (0 takes a free one)`, details: { port } },
    );
  }
}

/**
 * Ports outside of the ephemeral range, which on Linux begins at 32768 (ip_local_port_range), on macOS and at the IANA
 * at 49152. An ephemeral port could be taken between our check and the server's start, or while the server restarts on
 * it.
 */
const UNASSIGNED = { from: 10_000, to: 32_767 } as const;

/** Several, as some may be taken. Random, as several stacks may start at the same time. */
function unassigned(): readonly number[] {
  return Array.from({ length: 20 }, () => randomInt(UNASSIGNED.from, UNASSIGNED.to + 1));
}

function isFree(address: ListenAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => {
      resolve(false);
    });
    probe.listen({ ...address, exclusive: true }, () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });
}
