// The typed HTTP client of the API server. It imports operations as types only, so it loads neither zod nor Temporal.
import { randomUUID } from 'node:crypto';
import type { ZodType } from 'zod';
import type { AnswerOperation, EventsOperation, Operations } from '../contract/operations/index.ts';
import type { InputOf, OutputOf } from '../contract/operation.ts';
import type { MurmurError } from '../contract/wire/errors.ts';
import { answer } from './answer.ts';
import { events } from './events.ts';
import type { Endpoint } from './request.ts';

/** How to reach the API server. */
export interface ClientOptions {
  /** For example `http://127.0.0.1:7700`. */
  readonly url: string;
  /** Bearer token. Without it, the server rejects every call except health. */
  readonly token?: string | undefined;
  /**
   * How long to retry a call while the server cannot be reached, in milliseconds. Default 10 s: the supervisor restarts
   * a killed server within that time.
   */
  readonly retryForMs?: number;
  /** The same for an event stream, counted from the last received data. Default 60 s: a laptop's short sleep. */
  readonly reconnectForMs?: number;
  /** Header of W3C Trace Context: the calls become part of its trace. */
  readonly traceparent?: string | undefined;
}

/** Options of every call. */
export interface CallOptions {
  /** Aborts the call, which then throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** Makes retries safe: the same for every attempt of one call. By default, the client generates one. */
  readonly idempotencyKey?: string;
  /** Called at every heartbeat of a stream without events. */
  readonly onHeartbeat?: () => void;
}

/** Options of a call. `onProgress` is called by operations that report progress. */
export interface AnswerOptions<Name extends AnswerOperation> extends CallOptions {
  readonly onProgress?: (progress: ProgressOf<Name>) => void;
  /** Called with the error of each failed attempt that is repeated. */
  readonly onRetry?: (error: MurmurError) => void;
}

/** Options of a stream. */
export interface StreamOptions extends CallOptions {
  /** Begins after the event with this id; by default at the first event. */
  readonly from?: string;
}

/** A progress event of the operation; `never` for one without progress. */
export type ProgressOf<Name extends AnswerOperation> = Operations[Name] extends { readonly progress: ZodType<infer P> }
  ? P
  : never;

/** One agent to wait for, and the phase. */
export type WaitInput = Omit<InputOf<Operations['wait']>, 'slugs' | 'mode'>;
/** The status of an agent after a wait. */
export type WaitedAgent = Exclude<OutputOf<Operations['wait']>, readonly unknown[]>;

/** Every method throws MurmurError, or the reason of the signal that ended it. */
export interface MurmurClient {
  /** Calls an operation and waits for its answer, without a time limit. */
  call<Name extends AnswerOperation>(
    name: Name,
    input: InputOf<Operations[Name]>,
    options?: AnswerOptions<Name>,
  ): Promise<OutputOf<Operations[Name]>>;
  /**
   * Yields each event once and in order, across restarts of the server, until the agent has ended. To resume, pass the
   * `id` of the last event.
   */
  stream<Name extends EventsOperation>(
    name: Name,
    input: InputOf<Operations[Name]>,
    options?: StreamOptions,
  ): AsyncIterable<OutputOf<Operations[Name]>>;
  /** `call('wait', …)` for one agent. */
  wait(input: WaitInput, options?: AnswerOptions<'wait'>): Promise<WaitedAgent>;
}

/** Creates a client. Sends nothing before the first call. */
export function createClient(options: ClientOptions): MurmurClient {
  const endpoint: Endpoint = {
    url: options.url.replace(/\/+$/, ''),
    token: options.token,
    retryForMs: options.retryForMs ?? 10_000,
    reconnectForMs: options.reconnectForMs ?? 60_000,
    traceparent: options.traceparent,
  };
  const client: MurmurClient = {
    call: async (name, input, callOptions = {}) => {
      const { idempotencyKey: key = randomUUID(), signal } = callOptions;
      if (name === 'upload') {
        const { uploadFile } = await import('./upload.ts');
        return (await uploadFile(endpoint, input as never, { key, signal, onRetry: callOptions.onRetry })) as never;
      }
      return (await answer(endpoint, {
        operation: name,
        body: input,
        key,
        signal,
        onHeartbeat: callOptions.onHeartbeat,
        onRetry: callOptions.onRetry,
        onProgress: callOptions.onProgress as ((progress: unknown) => void) | undefined,
      })) as never;
    },
    stream: (name, input, streamOptions = {}) =>
      events(endpoint, {
        operation: name,
        body: streamOptions.from === undefined ? input : { ...input, from: streamOptions.from },
        key: streamOptions.idempotencyKey ?? randomUUID(),
        signal: streamOptions.signal,
        onHeartbeat: streamOptions.onHeartbeat,
      }) as AsyncIterable<never>,
    // A wait for one agent returns one status.
    wait: async (input, waitOptions) => (await client.call('wait', input, waitOptions)) as WaitedAgent,
  };
  return client;
}
