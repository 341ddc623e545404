// How bytes get to the ssh server of a host: directly, or through a jump host.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { MurmurError } from '../../../contract/wire/errors.ts';
import { unlessLost } from '../lost.ts';

/** Opens the byte stream for an ssh connection. */
export interface SshTransport {
  /** For people: `build-1:22`, `build-1:22 through gate`. */
  readonly description: string;
  /** Opens a stream to the ssh server. Throws UNAVAILABLE when it cannot be reached, and the signal's reason. */
  dial(signal: AbortSignal): Promise<Duplex>;
}

/** TCP. Sets TCP_NODELAY before ssh sends its first bytes: without it, each exchange stalls for 40 ms. */
export function directTransport(host: string, port: number): SshTransport {
  const description = `${host}:${String(port)}`;
  return {
    description,
    dial: async (signal) => {
      const socket = connect({ host, port, noDelay: true });
      try {
        await once(socket, 'connect', { signal });
        return socket;
      } catch (error) {
        socket.destroy();
        signal.throwIfAborted();
        throw unreachable(description, messageOf(error), error);
      }
    },
  };
}

/** Characters of stderr in an error: ssh's messages are short, and the last one names the cause. */
const STDERR_TAIL = 2_000;

/**
 * `ssh -W` through a jump host. The caller's own ssh connects to the jump host, with its configuration, keys and known
 * hosts.
 * @param jump as ssh takes it: `gate`, `user@gate`
 */
export function jumpTransport(
  jump: string,
  host: string,
  port: number,
  env: Readonly<Record<string, string | undefined>>,
): SshTransport {
  const description = `${host}:${String(port)} through ${jump}`;
  return {
    description,
    dial: async (signal) => {
      const target = `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
      const hops = jump.split(',');
      const last = destination(hops.pop() ?? '');
      const before = hops.length === 0 ? [] : ['-J', hops.join(',')];
      // ssh must not ask a question: no terminal is attached.
      const words = ['-o', 'BatchMode=yes', ...before, '-W', target, '--', last];
      const child = spawn('ssh', words, { stdio: 'pipe', env: { ...env } });
      let said = '';
      const { promise: closed, resolve } = Promise.withResolvers<undefined>();
      child.once('close', () => resolve(undefined));
      child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString('utf8')).slice(-STDERR_TAIL)));
      const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
      // An error after a failed dial has no other listener.
      stream.on('error', () => undefined);
      stream.once('close', () => child.kill('SIGKILL'));
      child.once('error', (error) => stream.destroy(unreachable(description, messageOf(error), error)));
      child.once('exit', (code) => {
        if (code !== 0) stream.destroy(unreachable(description, said.trim() || `ssh exited with ${String(code)}`));
      });
      try {
        // The greeting of the host's ssh server is the first sign that the jump has worked.
        await once(stream, 'readable', { signal });
        if (stream.readableLength > 0) return stream;
        // The stream is also readable at its end. Then nothing arrived, and ssh's stderr says why.
        await unlessLost(signal, closed);
        throw unreachable(description, said.trim() || 'ssh ended without a message');
      } catch (error) {
        stream.destroy();
        signal.throwIfAborted();
        throw error;
      }
    },
  };
}

/** `-J` takes a port after a colon, a destination takes it in a URL only. */
function destination(hop: string): string {
  return /^(?:[^@/]+@)?(?:\[[^\]]+\]|[^:@/]+):\d+$/.test(hop) ? `ssh://${hop}` : hop;
}

function unreachable(description: string, why: string, cause?: unknown): MurmurError {
  return new MurmurError('UNAVAILABLE', `the ssh server at ${description} cannot be reached: ${why}`, { cause });
}

/** An error's message, or another thrown value as text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
