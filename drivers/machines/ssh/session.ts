// What uses one connection to a host: commands, files and the program that manages its machines.
import { posix } from 'node:path';
import { openSshConnection, type SshConnection, type SshTarget } from './connection.ts';
import { Commands } from './exec.ts';
import { HostFiles } from './files.ts';
import type { HostStart } from './host-call.ts';
import { findHostFacts, type HostFacts } from './host-facts.ts';
import { HostProgram } from './host-program.ts';
import { HOST_PROGRAM } from './host-shipment.ts';
import { deliver, type Shipment } from '../../shipment/shipment.ts';

export interface HostSession {
  readonly connection: SshConnection;
  readonly commands: Commands;
  readonly files: HostFiles;
  readonly program: HostProgram;
  readonly facts: HostFacts;
  /** Folder of our files on the host. */
  readonly shipped: string;
}

export interface SessionOptions {
  readonly target: SshTarget;
  /** Path of Node from the owner's configuration. */
  readonly node: string | undefined;
  readonly shipment: () => Promise<Shipment>;
  readonly start: HostStart;
  /** `server` of an earlier connection of this process; empty for none. */
  readonly predecessor: string;
}

/** Connects, finds Node, updates our files and starts the program. Throws the errors of these steps. */
export async function openHostSession(options: SessionOptions, signal: AbortSignal): Promise<HostSession> {
  const { target, node, predecessor, shipment, start } = options;
  const connection = await openSshConnection(target, signal);
  try {
    const commands = new Commands(connection);
    const files = new HostFiles(connection, commands);
    const facts = await findHostFacts(target.host, commands, predecessor, node);
    const shipped = posix.join(facts.home, '.murmur', 'host');
    const folder = await deliver(files, shipped, await shipment());
    const program = await HostProgram.start(connection, commands, facts.node, posix.join(folder, HOST_PROGRAM), {});
    await program.call('start', start, signal);
    return { connection, commands, files, program, facts, shipped };
  } catch (error) {
    connection.close();
    throw error;
  }
}
