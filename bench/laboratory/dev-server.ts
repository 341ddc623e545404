// A Temporal dev server like that of the embedded stack, without its relay, for floors.
// Imports Node built-ins, get-port and stack/temporal.
import { spawn } from 'node:child_process';
import { homedir } from 'node:os';
import path from 'node:path';
import getPort from 'get-port';
import { devServerArgs, readDevServer } from '../../stack/temporal/dev-server.ts';
import { findTemporal } from '../../stack/temporal/find.ts';
import { end } from './processes.ts';

export interface DevServer {
  readonly address: string;
  readonly namespace: string;
  stop(): Promise<void>;
}

/** Starts the server with its database in the directory. It listens within seconds; callers retry their connection. */
export async function startDevServer(directory: string, packageRoot: string): Promise<DevServer> {
  const binary = await findTemporal({
    env: process.env,
    cacheDirs: [path.join(process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'murmur')],
    packageRoot,
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  const description = await readDevServer(packageRoot);
  const ports = { grpc: await getPort(), ui: await getPort(), http: await getPort(), metrics: await getPort() };
  const args = devServerArgs(description, ports, path.join(directory, 'temporal.db'));
  // Its own session, like the stack's server: Linux divides processor time first among sessions.
  const child = spawn(binary.path, args, { stdio: 'ignore', detached: true });
  return {
    address: `127.0.0.1:${ports.grpc.toString()}`,
    namespace: description.namespace,
    stop: () => end(child),
  };
}
