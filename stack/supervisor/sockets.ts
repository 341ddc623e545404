// The listening sockets of a stack, held from its start to its end: while a process restarts, no other program can take
// its port and receive its tokens.
import type { MurmurError } from '../../contract/wire/errors.ts';
import { portProblem, type StackPorts, type WantedPorts } from '../ports.ts';
import { holdListeners, localhostAddresses, type Listeners } from '../network/listeners.ts';

export interface StackSockets {
  /** The sockets of the Web UI, then the one of gRPC; empty for a Temporal that opens its ports itself. */
  readonly relay: Listeners['descriptors'];
  readonly api: Listeners['descriptors'];
  close(): void;
}

/** Opens the sockets. Throws FAILED_PRECONDITION for a port that was taken since it was chosen. */
export async function holdSockets({ api, temporal }: StackPorts, hasRelay: boolean): Promise<StackSockets> {
  const relay = hasRelay ? [...localhostAddresses(temporal.ui), { host: '127.0.0.1', port: temporal.grpc }] : [];
  try {
    const { close, descriptors } = await holdListeners([...relay, { host: '127.0.0.1', port: api }]);
    return { relay: descriptors.slice(0, -1), api: descriptors.slice(-1), close };
  } catch (error) {
    throw (await takenPort(hasRelay ? { api, temporal: temporal.grpc, temporalUi: temporal.ui } : { api })) ?? error;
  }
}

async function takenPort(ports: Partial<WantedPorts>): Promise<MurmurError | undefined> {
  for (const [which, port] of Object.entries(ports) as [keyof WantedPorts, number][]) {
    const problem = await portProblem(which, port);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
