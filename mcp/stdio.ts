// A session over stdin and stdout. Only the protocol may use them.
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Session } from './session/session.ts';
import type { TrafficLog } from './traffic-log.ts';

/** Time for open calls after the end of stdin: a script pipes its requests in and waits for the answers. */
const GRACE_MS = 2_000;

export interface StdioOptions {
  readonly stdin: Readable;
  readonly stdout: Writable;
  /** Ends the session at once. */
  readonly signal: AbortSignal;
  readonly log?: TrafficLog | undefined;
  /** Called for invalid input: a line that is not JSON, or an invalid message. The session continues. */
  readonly complain: (problem: string) => void;
}

/** Resolves when the session has ended: the client closed its side, or the signal aborted. */
export async function serveStdio({ idle, server }: Session, options: StdioOptions): Promise<void> {
  const { complain, log, signal, stdin, stdout } = options;
  const transport = new StdioServerTransport(stdin, stdout);
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  log?.attach(transport);
  server.onclose = close;
  server.onerror = (error) => complain(firstLine(error));
  signal.addEventListener('abort', () => close(), { once: true });
  stdin.once('end', end).once('close', end);
  // The client no longer reads. Handle it like the end of stdin.
  stdout.on('error', () => close());
  if (signal.aborted) return;
  await server.connect(transport);
  await Promise.race([closed, ended.then(() => Promise.race([idle(), delay(GRACE_MS, undefined, { ref: false })]))]);
  await server.close();
  stdin.destroy();
}

/** The SDK's errors contain long lists of problems. */
function firstLine(error: Error): string {
  return error.message.split('\n')[0] ?? error.name;
}
