// Writes server-sent events to one caller, at the pace at which it reads.
import { once } from 'node:events';
import type { FastifyReply } from 'fastify';

/** Milliseconds after which a client that follows the standard comes back. */
const RECONNECT_AFTER = 500;

/** An open stream. After `close`, or when the caller has gone, writing does nothing. */
export class EventStream {
  readonly #reply: FastifyReply;
  readonly #signal: AbortSignal;
  readonly #heartbeat: NodeJS.Timeout;

  /** Takes the answer over from fastify and sends its head. The signal aborts when the caller has gone. */
  constructor(reply: FastifyReply, heartbeatMs: number, signal: AbortSignal) {
    this.#reply = reply;
    this.#signal = signal;
    const headers = reply.getHeaders();
    reply.hijack();
    reply.raw.writeHead(200, {
      ...(headers as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      // Proxies would hold events back.
      'x-accel-buffering': 'no',
    });
    reply.raw.write(`retry: ${String(RECONNECT_AFTER)}\n: open\n\n`);
    this.#heartbeat = setInterval(() => {
      if (this.#writable()) reply.raw.write(': alive\n\n');
    }, heartbeatMs);
  }

  /** Sends one event and waits while the caller is slow to read: it must not fill this process's memory. */
  async send(event: { readonly id?: string; readonly name?: string; readonly data: unknown }): Promise<void> {
    if (!this.#writable()) return;
    const lines = [
      ...(event.id === undefined ? [] : [`id: ${event.id}`]),
      ...(event.name === undefined ? [] : [`event: ${event.name}`]),
      `data: ${JSON.stringify(event.data)}`,
    ];
    if (this.#reply.raw.write(`${lines.join('\n')}\n\n`)) return;
    // Rejects when the caller goes while we wait; then there is nobody left to send to.
    await once(this.#reply.raw, 'drain', { signal: this.#signal }).catch(() => undefined);
  }

  close(): void {
    clearInterval(this.#heartbeat);
    if (!this.#reply.raw.writableEnded) this.#reply.raw.end();
  }

  #writable(): boolean {
    return !this.#reply.raw.destroyed && !this.#reply.raw.writableEnded;
  }
}
