// A stream over a channel of an ssh connection. Destroying it takes effect at once.
import { Duplex } from 'node:stream';
import type { Channel } from 'ssh2';

/**
 * A destroyed channel of ssh2 waits until the other side closes it, which never happens on a dead link. An aborted HTTP
 * request would then not settle. This stream closes at once; the connection cleans up the channel.
 */
export class ChannelStream extends Duplex {
  readonly #channel: Channel;
  readonly #lost: AbortSignal;
  readonly #onLost = (): void => void this.destroy(this.#lost.reason as Error);

  /** @param lost aborts with the connection; the stream is destroyed with its reason */
  constructor(channel: Channel, lost: AbortSignal) {
    super({ allowHalfOpen: true });
    this.#channel = channel;
    this.#lost = lost;
    channel.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) channel.pause();
    });
    channel.on('end', () => void this.push(null));
    channel.on('error', (error: Error) => this.destroy(error));
    channel.on('close', () => {
      // A close without an end means that the other side is gone and data is missing.
      if (this.readableEnded || this.readableLength === 0) this.destroy();
      else this.once('end', () => this.destroy());
    });
    if (lost.aborted) this.destroy(lost.reason as Error);
    else lost.addEventListener('abort', this.#onLost, { once: true });
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#channel.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#channel.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#lost.removeEventListener('abort', this.#onLost);
    // Later errors of the channel have no other listener.
    this.#channel.on('error', () => undefined);
    this.#channel.close();
    this.#channel.resume();
    done(error);
  }

  // Node's HTTP client calls these methods of sockets.
  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
