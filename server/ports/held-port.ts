// Only a port that a process of the agent's machine holds can be shared: on a local machine every service of the host
// listens on the same loopback interface.
import type { Duplex } from 'node:stream';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { PortHolder } from '../../contract/wire/runner.ts';
import type { RunnerClient } from '../../drivers/machines/runner-client.ts';
import { findRunnerOf } from '../agents/runner.ts';
import type { ServerParts } from '../parts.ts';
import type { MachinePort } from './port-token.ts';

type Parts = Pick<ServerParts, 'machines'>;

/**
 * Throws PERMISSION_DENIED for a port that another process of the host holds, FAILED_PRECONDITION where nothing listens or
 * the runner is too old to tell, UNAVAILABLE when no runner answers.
 */
export async function requireHeld(parts: Parts, port: MachinePort): Promise<void> {
  checkHolder(port, await holderOf(await runnerOf(parts, port), port));
}

/** A connection to the port. Throws as `requireHeld` does, NOT_FOUND for a machine that is gone. */
export async function dialHeld(parts: Parts, port: MachinePort): Promise<Duplex> {
  const machine = await parts.machines.connect(port.machine);
  const runner = await runnerOf(parts, port);
  checkHolder(port, await holderOf(runner, port));
  const socket = await machine.dial(port.port);
  try {
    // Nothing has been sent yet: the port may have changed hands while we connected.
    checkHolder(port, await holderOf(runner, port));
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function runnerOf(parts: Parts, { machine, port }: MachinePort): Promise<RunnerClient> {
  const runner = await findRunnerOf(parts, machine);
  if (runner !== undefined) return runner;
  throw new MurmurError('UNAVAILABLE', `nothing on machine ${machine} says who listens on port ${String(port)}`, {
    hint: 'try again in a moment: a machine that is lost is replaced',
    details: { machine, port },
  });
}

async function holderOf(runner: RunnerClient, { machine, port }: MachinePort): Promise<PortHolder> {
  try {
    return (await runner.port({ port })).holder;
  } catch (error) {
    if (!(error instanceof MurmurError) || error.code !== 'NOT_FOUND') throw error;
    throw new MurmurError(
      'FAILED_PRECONDITION',
      `the runner on machine ${machine} is of an earlier version, which cannot tell who listens on port ${String(port)}: ` +
        'it works from the next turn on',
      { hint: 'share the port in the next turn', details: { machine, port } },
    );
  }
}

function checkHolder({ machine, port }: MachinePort, holder: PortHolder): void {
  if (holder === 'inside') return;
  if (holder === 'outside') {
    throw new MurmurError('PERMISSION_DENIED', `port ${String(port)} is not held by the agent's machine ${machine}`, {
      hint: 'let your server listen on another port',
      details: { machine, port },
    });
  }
  throw new MurmurError('FAILED_PRECONDITION', `nothing listens on port ${String(port)} of machine ${machine}`, {
    hint: 'start your server first, on 127.0.0.1 or on every address',
    details: { machine, port },
  });
}
