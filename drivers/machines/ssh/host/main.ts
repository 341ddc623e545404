// Entry of the program on a host that is reached by ssh. It manages the machines there with the provider `local`. It
// reads calls from its input and writes the answers, one line of JSON each. When its input ends, it completes the calls
// in progress and exits.
import { basename, dirname } from 'node:path';
import { createInterface } from 'node:readline';
import process from 'node:process';
import { PACKAGE_ROOT } from '../../../../config/package.ts';
import { findClaude } from '../../../../config/programs.ts';
import { DEFAULT_AGENT_LIMITS } from '../../../../config/host-settings.ts';
import { homePaths, makeHome, murmurHome } from '../../../../config/home.ts';
import { MurmurError } from '../../../../contract/wire/errors.ts';
import { detectIsolation } from '../../../../runner/isolation/detect.ts';
import { createMachines } from '../../configured.ts';
import { factsOfHost } from '../../local/facts.ts';
import { localLayout } from '../../local/layout.ts';
import type { HostCallName, HostReply, HostRequest, HostStart } from '../host-call.ts';
import { hostCalls, type HostCallTable } from '../host-calls.ts';
import { removeOldShipments } from '../../../shipment/old-shipments.ts';

/** An agent that shares the login's rights could change what our next command reads. */
const ISOLATION = 'namespace';

const cancels = new Map<number, AbortController>();
const pending = new Set<Promise<void>>();
const started = Promise.withResolvers<HostCallTable>();
started.promise.catch(() => undefined);

// The caller's connection may be gone; calls in progress are still completed.
process.stdout.on('error', () => undefined);
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const request = JSON.parse(line) as HostRequest;
  if ('cancel' in request) {
    cancels.get(request.cancel)?.abort(new MurmurError('UNAVAILABLE', 'the call was cancelled'));
    return;
  }
  const answering = answer(request.id, request.call, request.args);
  pending.add(answering);
  void answering.finally(() => pending.delete(answering));
});
lines.on('close', () => void Promise.allSettled([...pending]).then(() => process.exit(0)));

async function answer(id: number, call: HostCallName, args: unknown): Promise<void> {
  const cancel = new AbortController();
  cancels.set(id, cancel);
  try {
    if (call === 'start') {
      started.resolve(await start(args as HostStart));
      reply({ id, answer: {} });
    } else {
      const table = await started.promise;
      const value: unknown = await table[call](args as never, cancel.signal);
      reply({ id, answer: value });
    }
  } catch (error) {
    reply({ id, error: errorOf(error).toBody() });
  } finally {
    cancels.delete(id);
  }
}

/** The machines of this login, in its own `~/.murmur`. */
async function start({ limits, show }: HostStart): Promise<HostCallTable> {
  const home = homePaths(murmurHome({ HOME: process.env['HOME'] }));
  makeHome(home);
  // Before the first call, which could use an old copy.
  await removeOldShipments({ folder: dirname(PACKAGE_ROOT), own: basename(PACKAGE_ROOT), machines: home.machines });
  const { local } = await createMachines(
    {
      home,
      isolation: ISOLATION,
      claude: findClaude(process.env),
      host: { limits: { ...DEFAULT_AGENT_LIMITS, ...limits }, show },
    },
    { ...process.env },
  ).catch((error: unknown) => {
    throw withoutNamespaces(error);
  });
  return hostCalls(local, {
    bin: (name) => localLayout(home.machines, name).bin,
    path: process.env['PATH'] ?? '',
    inspect: async () => {
      const [facts, { description }] = await Promise.all([factsOfHost(process.env), detectIsolation(ISOLATION)]);
      return { facts, isolation: description };
    },
  });
}

/** The hint differs from that on Murmur's own host, where weaker isolation can be chosen. */
function withoutNamespaces(error: unknown): unknown {
  if (!(error instanceof MurmurError) || error.code !== 'FAILED_PRECONDITION') return error;
  return new MurmurError(error.code, error.message, {
    hint: 'allow user namespaces to ordinary users on that host, or log in as root',
    cause: error,
  });
}

function reply(line: HostReply): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function errorOf(error: unknown): MurmurError {
  if (error instanceof MurmurError) return error;
  return new MurmurError('INTERNAL', error instanceof Error ? error.message : String(error));
}
