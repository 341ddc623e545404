// The git broker. Through a Unix socket, git inside the isolation uses the owner's ssh and repositories on the owner's
// disk. A proxy serves http. Both serve only the agent's repositories.
import path from 'node:path';
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { chmodSync, chownSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { finished } from 'node:stream/promises';
import type { GitAccess } from '../../contract/wire/runner.ts';
import type { CallerGit } from '../git/caller-git.ts';
import { endGroup } from '../process-group.ts';
import type { BrokerAccess } from './access.ts';
import { firstLine } from './first-line.ts';
import { EXIT, frame, framed, STDERR, STDOUT } from './frames.ts';
import type { GitProxy } from './http/git-proxy.ts';
import { localCommand } from './local.ts';
import { readRequest, sshArguments } from './request.ts';
import type { BrokerRequest } from './request.ts';

/**
 * Connections at once. Each is a git or ssh process of the owner, outside the machine's limits. A git command opens one,
 * and one that fetches submodules up to a few.
 */
const CONNECTIONS = 64;

export interface BrokerOptions {
  readonly run: string;
  /** The runner's own folder. */
  readonly runner: string;
  /** The agent's user. Only this user may connect. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  readonly git: CallerGit;
  readonly access: BrokerAccess;
  readonly proxy: GitProxy;
}

export class Broker {
  readonly #options: BrokerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Without those to a broker on another host. */
  #accepted = 0;
  #elsewhere: Pick<GitAccess, 'server' | 'pass'> | undefined;

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: false }, (socket) => this.accept(socket));
  }

  /** Serves a connection, from wherever it comes. It must be half open when its other side has ended. */
  accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // A client that goes away is no error of ours: its child ends with the socket.
    socket.on('error', () => socket.destroy());
    if (this.#accepted >= CONNECTIONS) {
      refuse(socket, `${String(CONNECTIONS)} git commands of this machine use the broker, the most at once: try again`);
      // Does not wait for the client to close its side.
      return socket.destroySoon();
    }
    this.#accepted += 1;
    socket.once('close', () => (this.#accepted -= 1));
    if (this.#elsewhere !== undefined) return this.#passOn(socket, this.#elsewhere);
    this.#serve(socket).catch((error: unknown) => refuse(socket, (error as Error).message));
  }

  /** Lets the broker on another host answer from now on. */
  askInstead(elsewhere: Pick<GitAccess, 'server' | 'pass'>): void {
    this.#elsewhere = elsewhere;
  }

  #passOn(socket: Socket, { server, pass }: Pick<GitAccess, 'server' | 'pass'>): void {
    const far = connect({ ...server, noDelay: true, allowHalfOpen: true });
    this.#sockets.add(far);
    let isAnswered = false;
    const end = (close: () => void): void => {
      if (isAnswered) close();
      else refuse(socket, 'the host of Murmur does not answer: git there has the access to the repositories');
    };
    far.once('data', () => (isAnswered = true));
    far.once('end', () => end(() => socket.end()));
    far.on('error', () => far.destroy());
    far.once('close', () => {
      this.#sockets.delete(far);
      if (!far.readableEnded) end(() => socket.destroy());
    });
    socket.once('close', () => far.destroy());
    far.write(`socket ${pass}\n`);
    socket.pipe(far);
    far.pipe(socket, { end: false });
  }

  /** Listens on `<run>/git.sock` and replaces the socket of a killed runner. */
  async listen(): Promise<void> {
    const { run, user } = this.#options;
    const file = path.join(run, 'git.sock');
    rmSync(file, { force: true });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(shortest(file), resolve);
    await promise;
    chmodSync(file, 0o600);
    if (user !== undefined) chownSync(file, user.uid, user.gid);
  }

  /** Ends all connections and what they started. Gives up the proxy's port: no program that knows it may run. */
  async close(): Promise<void> {
    await Promise.all([this.endRequests(), this.#options.proxy.close()]);
  }

  /** Ends all connections and what they started, and serves none from now on. The proxy keeps its port. */
  async endRequests(): Promise<void> {
    this.#options.proxy.endRequests();
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#server.listening) this.#server.close(() => resolve());
    else resolve();
    for (const socket of this.#sockets) socket.destroy();
    await promise;
  }

  async #serve(socket: Socket): Promise<void> {
    const line = await firstLine(socket);
    const request = readRequest(line);
    if (request === undefined) return refuse(socket, 'the request cannot be read');
    const child = await this.#start(request);
    if ('refused' in child) return refuse(socket, child.refused);
    await relay(socket, child);
  }

  async #start(request: BrokerRequest): Promise<ChildProcessWithoutNullStreams | { refused: string }> {
    const { git, access, runner, user } = this.#options;
    const protocol = request.protocol === '' ? {} : { GIT_PROTOCOL: request.protocol };
    // Its own process group: ssh may start a proxy command, and git starts other programs.
    const options = { cwd: '/', stdio: 'pipe', detached: true } as const;
    if (request.kind === 'local') {
      const command = await localCommand(request, access, { runner, user, env: git.env });
      if ('refused' in command) return command;
      return spawn('git', command.args, { ...options, env: { ...command.env, ...protocol } });
    }
    const args = sshArguments(request.args, access);
    if ('refused' in args) return args;
    const configured = (await git.config()).findLast(({ key }) => key === 'core.sshcommand')?.value;
    const ssh = callerSsh(git.env, args, configured);
    return spawn(ssh.command, ssh.args, { ...options, env: { ...git.env, ...protocol } });
  }
}

/** A socket's path has at most 107 bytes. Below a deep directory, only the relative path fits. */
function shortest(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative.length < file.length ? relative : file;
}

/** Connects socket and child until the child ends. Kills the child when the socket closes first. */
async function relay(socket: Socket, child: ChildProcessWithoutNullStreams): Promise<void> {
  const exit = Promise.withResolvers<number>();
  const gone = Promise.withResolvers<undefined>();
  child.once('error', (error) => {
    socket.write(frame(STDERR, Buffer.from(`murmur: ${error.message}\n`)));
    exit.resolve(127);
  });
  child.once('close', (code) => exit.resolve(code ?? 128));
  child.stdin.on('error', () => undefined);
  // The socket may have closed while the child started; then it emits no further `close`.
  if (socket.destroyed) return endGroup(child.pid);
  socket.once('close', () => {
    endGroup(child.pid);
    gone.resolve(undefined);
  });
  socket.pipe(child.stdin);
  const streams = [child.stdout.pipe(framed(STDOUT)), child.stderr.pipe(framed(STDERR))];
  for (const stream of streams) stream.pipe(socket, { end: false });
  // The exit status must be the last frame, after frames that wait for the socket.
  const drained = Promise.all([exit.promise, ...streams.map((stream) => finished(stream))]);
  const done = await Promise.race([drained, gone.promise]);
  if (done !== undefined) socket.end(frame(EXIT, Buffer.from([done[0] & 0xff])));
}

function refuse(socket: Socket, reason: string): void {
  if (socket.destroyed) return;
  socket.write(frame(STDERR, Buffer.from(`murmur: ${reason}\n`)));
  socket.end(frame(EXIT, Buffer.from([1])));
  socket.resume();
}

interface SshCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * The caller's ssh with these arguments, chosen as git does: GIT_SSH_COMMAND (for a shell), then `core.sshCommand`
 * (likewise), then GIT_SSH (a program), then `ssh`.
 */
function callerSsh(env: NodeJS.ProcessEnv, args: readonly string[], configured: string | undefined): SshCommand {
  const shell = env['GIT_SSH_COMMAND'] ?? configured;
  if (shell !== undefined && shell !== '') return { command: '/bin/sh', args: ['-c', `${shell} "$@"`, 'ssh', ...args] };
  return { command: env['GIT_SSH'] ?? 'ssh', args };
}
