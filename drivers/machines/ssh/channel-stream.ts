// A channel of an ssh connection as a stream of ours, which is gone as soon as it is destroyed.
import { Duplex } from 'node:stream';
import type { Channel } from 'ssh2';

/**
 * A channel of ssh2 that is destroyed waits for the other side to close it, which a dead link never does: an aborted HTTP
 * request on it would not settle. This stream closes at once and leaves the channel to its connection.
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
      // Without its end, the other side has gone: what comes after is missing.
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
    // Later errors of the channel have nobody to go to.
    this.#channel.on('error', () => undefined);
    this.#channel.close();
    this.#channel.resume();
    done(error);
  }

  // Node's HTTP client sets these on what it takes for a socket.
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
