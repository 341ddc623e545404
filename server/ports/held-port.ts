// Ensures that a shared port belongs to a process of the agent's machine: on a local machine, all services of the host
// listen on the same loopback interface.
import type { Duplex } from 'node:stream';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { PortHolder } from '../../contract/wire/runner.ts';
import type { Machine } from '../../drivers/machines/provider.ts';
import { isNotThisRunner, recordedRunner } from '../../drivers/machines/runner-process.ts';
import type { AgentMachine } from '../../agents/machine.ts';
import type { MachinePort } from './port-token.ts';

/**
 * Throws PERMISSION_DENIED for a port of another process of the host, FAILED_PRECONDITION when nothing listens or the
 * runner is too old to check, UNAVAILABLE when no runner answers, NOT_FOUND for a machine that is gone.
 */
export async function requireHeld({ name, provider }: AgentMachine, port: number): Promise<void> {
  const held = { machine: name, port };
  await using machine = await provider.connect(name);
  checkHolder(held, await holderOf(machine, held));
}

/** A connection to the port. Throws as `requireHeld` does. */
export async function dialHeld({ name, provider }: AgentMachine, port: number): Promise<Duplex> {
  const held = { machine: name, port };
  const machine = await provider.connect(name);
  try {
    checkHolder(held, await holderOf(machine, held));
    const socket = await machine.dial(port);
    // Released when the socket closes, which uses this connection.
    socket.once('close', () => void machine[Symbol.asyncDispose]());
    try {
      // Checked before anything is sent: another process may have taken the port meanwhile.
      checkHolder(held, await holderOf(machine, held));
      return socket;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  } catch (error) {
    await machine[Symbol.asyncDispose]();
    throw error;
  }
}

async function holderOf(on: Machine, { machine, port }: MachinePort): Promise<PortHolder> {
  try {
    // Skips the health check, because a page loads hundreds of files.
    const reply = await (await recordedRunner(on))?.port({ port });
    if (reply !== undefined) return reply.holder;
  } catch (error) {
    if (error instanceof MurmurError && error.code === 'NOT_FOUND') throw tooOld({ machine, port });
    if (!isNotThisRunner(error)) throw error;
  }
  throw new MurmurError(
    'UNAVAILABLE',
    `the runner on machine ${machine} did not answer; port ${String(port)} was not checked`,
    {
      hint: 'try again in a moment: a machine that is lost is replaced',
      details: { machine, port },
    },
  );
}

function tooOld({ machine, port }: MachinePort): MurmurError {
  return new MurmurError(
    'FAILED_PRECONDITION',
    `the runner on machine ${machine} is of an earlier version, which cannot tell who listens on port ${String(port)}: ` +
      'it works from the next turn on',
    { hint: 'share the port in the next turn', details: { machine, port } },
  );
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
