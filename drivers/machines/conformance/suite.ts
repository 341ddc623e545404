// Shared by the parts of the suite: a provider for each test, machines with names of the run, a server on a machine.
import { posix } from 'node:path';
import type { Machine, MachineInfo, MachineProvider } from '../provider.ts';

export interface ProviderUnderTest extends AsyncDisposable {
  readonly provider: MachineProvider;
  /**
   * Makes the connections to the machine dead: no bytes pass in either direction, and neither end is notified. The
   * machine keeps running, and a new connection works. Needed where `linkDies` is set.
   */
  readonly killLink?: (name: string) => void | Promise<void>;
}

export interface SuiteOptions {
  /** Whether the provider under test has `killLink`. */
  readonly linkDies?: boolean;
  /** Size of the file that is moved in both directions. The default, 200 MB, exceeds every buffer on the way. */
  readonly transferBytes?: number;
  /** A runner as one file, started by `node <runner> <machine>/runner`, for drivers that accept any runner. */
  readonly runner?: string;
}

/**
 * One provider and the machines of one test. Names and labels are unique to the test, as the provider may be in use.
 */
export interface Bench {
  readonly under: ProviderUnderTest;
  readonly provider: MachineProvider;
  /** Carried by every machine of the test. */
  readonly run: { readonly run: string };
  /** The name of the test's nth machine. */
  name(nth?: number): string;
  create(nth?: number, options?: CreateTestMachine): Promise<MachineInfo>;
  /** Creates the first machine and connects to it. */
  connected(): Promise<Machine>;
}

export interface CreateTestMachine {
  readonly agent?: string;
  readonly signal?: AbortSignal;
}

/** Time limit of a command of the suite, on a busy host. */
export const TIMEOUT_MS = 20_000;

export function createBench(under: ProviderUnderTest, run: string): Bench {
  const { provider } = under;
  const bench: Bench = {
    under,
    provider,
    run: { run },
    name: (nth = 1) => `murmur-${run}-${String(nth)}`,
    create: (nth = 1, { agent = 'w/a/u/b/c', signal = new AbortController().signal } = {}) =>
      provider.create(
        { name: bench.name(nth), labels: { agent, run } },
        { signal, requestId: `00000000-0000-8000-8000-${run.padStart(8, '0')}${String(nth).padStart(4, '0')}` },
      ),
    connected: async () => {
      await bench.create();
      return await provider.connect(bench.name());
    },
  };
  return bench;
}

/** An echo server that first sends a greeting. It reports its port through a pipe. */
const SERVER = `
const { writeFileSync } = require('node:fs');
const server = require('node:net').createServer((socket) => {
  socket.on('error', () => undefined);
  socket.write('hello');
  socket.pipe(socket);
});
server.listen(0, '127.0.0.1', () => writeFileSync(process.argv[2], server.address().port + ' ' + process.pid));
`;

export interface MachineServer extends AsyncDisposable {
  /** Loopback port of the machine. */
  readonly port: number;
  /** Ends the server over another connection, in case the one that started it is lost. */
  end(through: Machine): Promise<void>;
}

/** Starts a server on the machine; disposing ends it. */
export async function startServer(machine: Machine): Promise<MachineServer> {
  const file = (name: string): string => posix.join(machine.paths.runner, name);
  const { node } = await machine.facts();
  await machine.put(file('server.cjs'), SERVER);
  await machine.exec('mkfifo', [file('ready')], { timeoutMs: TIMEOUT_MS });
  await machine.launch(node, [file('server.cjs'), file('ready')], { log: file('server.log') });
  const { stdout } = await machine.exec('cat', [file('ready')], { timeoutMs: TIMEOUT_MS });
  const [port = '', pid = ''] = stdout.split(' ');
  const end = async (through: Machine): Promise<void> => {
    const killed = 'kill -KILL "$0"; while kill -0 "$0" 2>/dev/null; do sleep 0.01; done';
    await through.exec('sh', ['-c', killed, pid], { timeoutMs: TIMEOUT_MS });
  };
  return { port: Number(port), end, [Symbol.asyncDispose]: () => end(machine) };
}
