// A Temporal dev server as the embedded stack starts it, without its relay: for floors.
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

/** The server's database lies in the directory. Callers connect with retries: it listens within seconds. */
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
  // A session of its own, as the stack's server has: Linux shares processor time among sessions before processes.
  const child = spawn(binary.path, args, { stdio: 'ignore', detached: true });
  return {
    address: `127.0.0.1:${ports.grpc.toString()}`,
    namespace: description.namespace,
    stop: () => end(child),
  };
}
