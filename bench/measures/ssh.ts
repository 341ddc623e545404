// A machine that is reached by ssh beside one of this host: the connection is open, sshd listens on the loopback.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { now } from '../clock.ts';
import type { Measure, Trial } from '../measure.ts';
import { ratioAtMost } from '../target.ts';
import type { Machine, MachineProvider } from '../../drivers/machines/provider.ts';
import { localMachines } from '../../test/drivers/machines/local-machines.ts';
import { sshMachines } from '../../test/drivers/machines/ssh/ssh-machines.ts';
import { startLoginHost, whyNoLoginHost } from '../../test/fixtures/ssh-machines/login-host.ts';

/** An operation takes milliseconds: many samples cost little, and few would say nothing. */
const SAMPLES = { full: 200, quick: 20 } as const;
/** Longest that a command, or the making of a machine, may take on a busy machine. */
const LIMIT_MS = 60_000;

/** What a call to the runner of a machine costs: a connection through `dial` and one exchange of HTTP on it. */
export const sshDial: Measure = {
  name: 'ssh-dial',
  title: 'dial and an HTTP request over ssh, beside a local machine',
  unit: 'ms',
  samples: SAMPLES,
  warmUps: 10,
  target: ratioAtMost(2.5),
  timeoutMs: LIMIT_MS,
  why: whyNoLoginHost,
  open: async () => {
    const server = await startServer();
    const trial = await openTrial((machine) => exchange(machine, server.port));
    const close = async (): Promise<void> => {
      await trial.close();
      server.stop();
    };
    return { ...trial, close };
  },
};

/** A command that does nothing. */
export const sshExec: Measure = {
  name: 'ssh-exec',
  title: 'exec over ssh, beside a local machine',
  unit: 'ms',
  samples: SAMPLES,
  warmUps: 10,
  target: ratioAtMost(1.5),
  timeoutMs: LIMIT_MS,
  why: whyNoLoginHost,
  open: () =>
    openTrial(async (machine) => {
      const { exitCode } = await machine.exec('true', [], { timeoutMs: LIMIT_MS });
      if (exitCode !== 0) throw new Error('true failed');
    }),
};

/** One machine here and one over ssh, on which the work is timed. */
async function openTrial(work: (machine: Machine) => Promise<void>): Promise<Trial> {
  const ends: (() => PromiseLike<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const here = await localMachines();
    ends.push(() => here[Symbol.asyncDispose]());
    const host = await startLoginHost();
    ends.push(() => host[Symbol.asyncDispose]());
    const there = sshMachines([host]);
    ends.push(() => there[Symbol.asyncDispose]());
    const [local, ssh] = [await machineOf(here.provider), await machineOf(there.provider)];
    const timed = async (machine: Machine): Promise<number> => {
      const began = now();
      await work(machine);
      return now() - began;
    };
    return { floor: () => timed(local), ours: () => timed(ssh), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function machineOf(provider: MachineProvider): Promise<Machine> {
  const options = { signal: AbortSignal.timeout(LIMIT_MS), requestId: 'bench' };
  await provider.create({ name: 'murmur-1', labels: {} }, options);
  return await provider.connect('murmur-1');
}

async function exchange(machine: Machine, port: number): Promise<void> {
  const socket = await machine.dial(port);
  const asked = request({ createConnection: () => socket, host: '127.0.0.1', port, agent: false });
  asked.end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  socket.destroy();
}

const SERVER = `
const server = require('node:http').createServer((request, response) => response.end('ok'));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

/** A process of its own, as a runner is: both sides reach it on this host's loopback. */
async function startServer(): Promise<{ readonly port: number; stop(): void }> {
  const child = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { port: Number(line), stop: () => void child.kill('SIGKILL') };
}
