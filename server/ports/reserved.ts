// Ports that are nobody's to share: on a local machine a port is on the host's own loopback interface, where Murmur's
// processes listen as well.
import pLimit from 'p-limit';
import { posix } from 'node:path';
import type { RunnerAddress } from '../../contract/wire/runner.ts';
import type { ServerParts } from '../parts.ts';

/** Files of a runner that hold a port: its own, and that of its relay to the API server. */
const PORT_FILES = ['address.json', 'relay.json'];
/** Runners come and go with agents; each request of a page asks. */
const FRESH_MS = 2_000;
/** Files read at once. */
const READERS = 16;

type Parts = Pick<ServerParts, 'machines' | 'controlPorts'>;

const known = new WeakMap<Parts['machines'], { readonly at: number; readonly ports: Promise<ReadonlySet<number>> }>();

/** Whether one of Murmur's own processes listens on the port, or did within the last seconds. */
export async function isReserved(parts: Parts, port: number): Promise<boolean> {
  return parts.controlPorts().has(port) || (await runnerPorts(parts)).has(port);
}

async function runnerPorts({ machines }: Parts): Promise<ReadonlySet<number>> {
  const before = known.get(machines);
  if (before !== undefined && Date.now() - before.at < FRESH_MS) return await before.ports;
  const ports = readPorts(machines);
  known.set(machines, { at: Date.now(), ports });
  // A provider that fails once is asked again by the next.
  ports.catch(() => known.delete(machines));
  return await ports;
}

async function readPorts(machines: Parts['machines']): Promise<ReadonlySet<number>> {
  const running = (await machines.list()).filter(({ state }) => state === 'running');
  const found = await pLimit(READERS).map(running, async ({ name }) => {
    const machine = await machines.connect(name).catch(() => undefined);
    if (machine === undefined) return [];
    const { runner } = machine.paths;
    return await Promise.all(
      PORT_FILES.map(async (file) => portIn(await machine.get(posix.join(runner, file)).catch(() => undefined))),
    );
  });
  return new Set(found.flat().filter((port) => port !== undefined));
}

function portIn(content: Buffer | undefined): number | undefined {
  try {
    return (JSON.parse(content?.toString('utf8') ?? '{}') as Partial<RunnerAddress>).port;
  } catch {
    // Cut off by a crash: the runner that is started writes it anew.
    return undefined;
  }
}
