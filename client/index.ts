// The typed HTTP client of the API server. Loads neither zod nor Temporal: the operations are types here.
import { randomUUID } from 'node:crypto';
import type { ZodType } from 'zod';
import type { AnswerOperation, EventsOperation, Operations } from '../contract/operations/index.ts';
import type { InputOf, OutputOf } from '../contract/operation.ts';
import { answer } from './answer.ts';
import { events } from './events.ts';
import type { Endpoint } from './request.ts';

/** How to reach the API server. */
export interface ClientOptions {
  /** Such as `http://127.0.0.1:7700`. */
  readonly url: string;
  /** Bearer token; without one every call but health is refused. */
  readonly token?: string | undefined;
  /**
   * How long a call is repeated while the server cannot be reached, in milliseconds. Default 10 s: the supervisor
   * starts a killed server again within that time.
   */
  readonly retryForMs?: number;
  /** The same for an event stream, counted from the last sign of life. Default 60 s: a laptop's short sleep. */
  readonly reconnectForMs?: number;
  /** Header of W3C Trace Context: the calls become part of its trace. */
  readonly traceparent?: string | undefined;
}

/** What any call may take. */
export interface CallOptions {
  /** Ends the call; it then throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** Makes asking again harmless. Made by the client when absent; the same for every repetition of one call. */
  readonly idempotencyKey?: string;
  /** Called at every sign of life of a stream that has nothing to tell. */
  readonly onHeartbeat?: () => void;
}

/** What a call takes; `onProgress` is called by operations that tell of their progress. */
export interface AnswerOptions<Name extends AnswerOperation> extends CallOptions {
  readonly onProgress?: (progress: ProgressOf<Name>) => void;
}

/** What a stream takes. */
export interface StreamOptions extends CallOptions {
  /** Event id to begin after; default: the beginning. */
  readonly from?: string;
}

/** A progress event of the operation; never for one that has none. */
export type ProgressOf<Name extends AnswerOperation> = Operations[Name] extends { readonly progress: ZodType<infer P> }
  ? P
  : never;

/** One agent to wait for, and the phase. */
export type WaitInput = Omit<InputOf<Operations['wait']>, 'slugs' | 'mode'>;
/** The status of an agent that has been waited for. */
export type WaitedAgent = Exclude<OutputOf<Operations['wait']>, readonly unknown[]>;

/** Every method throws MurmurError, or the reason of the signal that ended it. */
export interface MurmurClient {
  /** Asks for one answer, however long it takes. */
  call<Name extends AnswerOperation>(
    name: Name,
    input: InputOf<Operations[Name]>,
    options?: AnswerOptions<Name>,
  ): Promise<OutputOf<Operations[Name]>>;
  /**
   * Yields each event once and in order, across restarts of the server, until the agent has ended. Resume with the
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

/** Makes a client. Nothing is sent before the first call. */
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
        return (await uploadFile(endpoint, input as never, { key, signal })) as never;
      }
      return (await answer(endpoint, {
        operation: name,
        body: input,
        key,
        signal,
        onHeartbeat: callOptions.onHeartbeat,
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
    // With one agent asked for there is one status.
    wait: async (input, waitOptions) => (await client.call('wait', input, waitOptions)) as WaitedAgent,
  };
  return client;
}
