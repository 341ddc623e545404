// A session over standard input and output, which belong to the protocol alone.
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Session } from './session/session.ts';
import type { TrafficLog } from './traffic-log.ts';

/** How long calls may go on after the last request was read: a script pipes its requests in and waits for the answers. */
const GRACE_MS = 2_000;

export interface StdioOptions {
  readonly stdin: Readable;
  readonly stdout: Writable;
  /** Ends the session at once. */
  readonly signal: AbortSignal;
  readonly log?: TrafficLog | undefined;
  /** Told of what cannot be read: a line that is no JSON, a message that is none. The session goes on. */
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
  // Nobody reads any more: that is the same as closing our standard input.
  stdout.on('error', () => close());
  if (signal.aborted) return;
  await server.connect(transport);
  await Promise.race([closed, ended.then(() => Promise.race([idle(), delay(GRACE_MS, undefined, { ref: false })]))]);
  await server.close();
  stdin.destroy();
}

/** The SDK's errors hold whole lists of what is wrong with a message. */
function firstLine(error: Error): string {
  return error.message.split('\n')[0] ?? error.name;
}
