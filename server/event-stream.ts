// Writes server-sent events to one caller, with back-pressure.
import { once } from 'node:events';
import type { FastifyReply } from 'fastify';

/** Milliseconds after which a standard client reconnects. */
const RECONNECT_AFTER = 500;

/** An open stream. After `close`, or after the caller has disconnected, writes are no-ops. */
export class EventStream {
  readonly #reply: FastifyReply;
  readonly #signal: AbortSignal;
  readonly #heartbeat: NodeJS.Timeout;

  /** Takes over the answer from fastify and sends its head. The signal aborts when the caller disconnects. */
  constructor(reply: FastifyReply, heartbeatMs: number, signal: AbortSignal) {
    this.#reply = reply;
    this.#signal = signal;
    const headers = reply.getHeaders();
    reply.hijack();
    reply.raw.writeHead(200, {
      ...(headers as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      // Prevents proxies from buffering events.
      'x-accel-buffering': 'no',
    });
    reply.raw.write(`retry: ${String(RECONNECT_AFTER)}\n: open\n\n`);
    this.#heartbeat = setInterval(() => {
      if (this.#writable()) reply.raw.write(': alive\n\n');
    }, heartbeatMs);
  }

  /** Sends one event and waits for a slow caller, which must not fill this process's memory. */
  async send(event: { readonly id?: string; readonly name?: string; readonly data: unknown }): Promise<void> {
    if (!this.#writable()) return;
    const lines = [
      ...(event.id === undefined ? [] : [`id: ${event.id}`]),
      ...(event.name === undefined ? [] : [`event: ${event.name}`]),
      `data: ${JSON.stringify(event.data)}`,
    ];
    if (this.#reply.raw.write(`${lines.join('\n')}\n\n`)) return;
    // Rejects when the caller disconnects, which ends the stream anyway.
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
