// Calls to the runner of a machine, over the machine's connection. Protocol: contract/wire/runner.ts.
import { request, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SourcedEvent } from '../../contract/wire/events.ts';
import { isErrorCode, MurmurError, type ErrorBody } from '../../contract/wire/errors.ts';
import type { AssessReply, AssessRequest } from '../../contract/wire/assessment.ts';
import type {
  FileRequest,
  InterruptRequest,
  NoticeRequest,
  OpenReply,
  OpenRequest,
  PortReply,
  PortRequest,
  RunnerHealth,
  SnapshotReply,
  StopRequest,
  TurnEndLine,
  TurnReply,
  TurnRequest,
} from '../../contract/wire/runner.ts';
import type { Machine, RunnerAccess } from './provider.ts';
import { proves } from '../../runner/identity/proof.ts';

/** A turn whose end the caller waits for. */
export interface TurnWatch {
  readonly turn_id: string;
  readonly onEnd: (reply: TurnReply) => void;
}

export interface RunnerClient {
  health(): Promise<RunnerHealth>;
  /** No time limit but the signal: a clone may take minutes. */
  open(input: OpenRequest, signal?: AbortSignal): Promise<OpenReply>;
  turn(input: TurnRequest): Promise<TurnReply>;
  /**
   * Events of the journal above `after`, in batches as they arrive, until the signal aborts. Throws UNAVAILABLE when
   * the runner ends or sends nothing for some seconds.
   * @param turn receives the turn's reply before the batch with its end; runners of earlier builds do not send it
   */
  events(after: number, signal: AbortSignal, turn?: TurnWatch): AsyncIterable<readonly SourcedEvent[]>;
  /** No time limit but the signal: a model reads and answers. */
  assess(input: AssessRequest, signal: AbortSignal): Promise<AssessReply>;
  /**
   * The pieces of a file on the machine, read with the rights of the agent. No time limit but the signal. Throws the
   * runner's error before the first piece, and UNAVAILABLE when the stream breaks off. Leaving the loop ends the
   * reading.
   */
  file(input: FileRequest, signal: AbortSignal): AsyncIterable<Buffer>;
  /** Throws NOT_FOUND for a runner of an earlier build, which does not have this call. */
  port(input: PortRequest): Promise<PortReply>;
  interrupt(input: InterruptRequest): Promise<void>;
  notice(input: NoticeRequest): Promise<void>;
  snapshot(): Promise<SnapshotReply>;
  stop(input: StopRequest): Promise<void>;
}

/** The runner answers short calls from memory. A frozen runner must not block a control activity for longer. */
const SHORT_CALL_MS = 8_000;
/** Capturing a large repository writes a bundle; stopping waits for the agent program to end. */
const LONG_CALL_MS = 120_000;
/** The runner sends a blank line every second. After five missed ones it counts as frozen or gone. */
const SILENCE_MS = 5_000;

/** The part of a machine that calls need. */
export type RunnerMachine = Pick<Machine, 'name' | 'dial'>;

export interface RunnerCall {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

/**
 * A client of the runner at this address. Every call throws MurmurError: the runner's error, UNAVAILABLE when the
 * runner cannot be reached or does not answer in time, or UNAUTHENTICATED when another process listens on its port.
 * @param failed receives the error of every failed call, and returns the one that the call throws
 */
export function createRunnerClient(
  machine: RunnerMachine,
  access: RunnerAccess,
  failed: (error: unknown) => unknown = (error) => error,
): RunnerClient {
  const call = async <Reply>(
    method: 'GET' | 'POST',
    path: string,
    body: unknown,
    signal: AbortSignal,
  ): Promise<Reply> => {
    try {
      return await callRunner<Reply>(machine, access, { method, path, body, signal });
    } catch (error) {
      throw failed(error);
    }
  };
  async function* each<Item>(items: AsyncIterable<Item>): AsyncIterable<Item> {
    try {
      yield* items;
    } catch (error) {
      throw failed(error);
    }
  }
  const post = <Reply>(path: string, body: unknown, limitMs: number): Promise<Reply> =>
    call('POST', path, body, AbortSignal.timeout(limitMs));
  return {
    health: () => call('GET', '/health', undefined, AbortSignal.timeout(SHORT_CALL_MS)),
    open: (input, signal) => call('POST', '/open', input, signal ?? new AbortController().signal),
    turn: (input) => post('/turn', input, SHORT_CALL_MS),
    assess: (input, signal) => call('POST', '/assess', input, signal),
    port: (input) => post('/port', input, SHORT_CALL_MS),
    interrupt: async (input) => void (await post('/interrupt', input, SHORT_CALL_MS)),
    notice: async (input) => void (await post('/notice', input, SHORT_CALL_MS)),
    snapshot: () => post('/snapshot', {}, LONG_CALL_MS),
    stop: async (input) => void (await post('/stop', input, LONG_CALL_MS)),
    file: (input, signal) => each(file(machine, access, input, signal)),
    events: (after, signal, turn) => each(events(machine, access, { after, signal, turn })),
  };
}

/** One call with a JSON answer. Throws as the calls of a client do. */
export async function callRunner<Reply>(
  machine: RunnerMachine,
  access: RunnerAccess,
  { body, method, path, signal }: RunnerCall,
): Promise<Reply> {
  const answer = await send(machine, access, method, path, body, signal);
  try {
    return (await jsonOf(answer)) as Reply;
  } catch (error) {
    throw error instanceof MurmurError ? error : unreachable(machine, 'its answer broke off', error);
  }
}

async function* events(
  machine: RunnerMachine,
  access: RunnerAccess,
  { after, signal, turn }: { after: number; signal: AbortSignal; turn: TurnWatch | undefined },
): AsyncIterable<readonly SourcedEvent[]> {
  const silence = new AbortController();
  const onSilence = (): void => silence.abort();
  let quiet = setTimeout(onSilence, SILENCE_MS);
  const either = AbortSignal.any([signal, silence.signal]);
  try {
    const query = new URLSearchParams({ after: String(after), ...(turn === undefined ? {} : { turn: turn.turn_id }) });
    const answer = await send(machine, access, 'GET', `/events?${query.toString()}`, undefined, either);
    if (answer.statusCode !== 200) await jsonOf(answer);
    let rest = '';
    for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) {
      quiet.refresh();
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      const batch: SourcedEvent[] = [];
      for (const line of lines.filter((each) => each !== '')) {
        const told = JSON.parse(line) as SourcedEvent | TurnEndLine;
        if ('reply' in told) turn?.onEnd(told.reply);
        else batch.push(told);
      }
      if (batch.length === 0) continue;
      // Stops the timer while the consumer works on the batch: only the runner's silence counts.
      clearTimeout(quiet);
      yield batch;
      quiet = setTimeout(onSilence, SILENCE_MS);
    }
    throw unreachable(machine, 'its event stream ended');
  } catch (error) {
    if (signal.aborted) return;
    throw error instanceof MurmurError ? error : unreachable(machine, 'its event stream broke', error);
  } finally {
    clearTimeout(quiet);
  }
}

async function* file(
  machine: RunnerMachine,
  access: RunnerAccess,
  input: FileRequest,
  signal: AbortSignal,
): AsyncIterable<Buffer> {
  const answer = await send(machine, access, 'POST', '/file', input, signal);
  try {
    if (answer.statusCode !== 200) await jsonOf(answer);
    // Leaving the loop closes the connection, and the runner then ends the program that reads the file.
    yield* answer as AsyncIterable<Buffer>;
  } catch (error) {
    throw error instanceof MurmurError ? error : unreachable(machine, 'the file broke off', error);
  }
}

async function send(
  machine: RunnerMachine,
  access: RunnerAccess,
  method: string,
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const socket = await dialProven(machine, access, signal);
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        method,
        path,
        signal,
        createConnection: () => socket,
        headers: {
          authorization: `Bearer ${access.token}`,
          ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': payload.length }),
        },
      },
      resolve,
    );
    outgoing.on('error', (error) => {
      reject(unreachable(machine, signal.aborted ? 'it did not answer in time' : 'the call failed', error));
    });
    outgoing.end(payload);
  });
}

/**
 * A connection to the runner. Checks that no other process has taken the port of an ended runner. Throws UNAVAILABLE
 * when nothing answers, UNAUTHENTICATED when another process does.
 */
async function dialProven(machine: RunnerMachine, access: RunnerAccess, signal: AbortSignal): Promise<Duplex> {
  const socket = await machine.dial(access.port);
  // The connection may break during the check.
  socket.on('error', () => undefined);
  try {
    // Checked after connecting: the process that listens now is the one that accepted the connection.
    if (await (access.isUnchanged?.() ?? proves(socket, access, signal))) return socket;
  } catch (error) {
    socket.destroy();
    throw unreachable(
      machine,
      signal.aborted ? 'it did not answer in time' : 'the check of its identity failed',
      error,
    );
  }
  socket.destroy();
  throw new MurmurError('UNAUTHENTICATED', `what listens on port ${String(access.port)} is not the runner`);
}

/** The answer's JSON. Throws the runner's error. */
async function jsonOf(answer: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  const value: unknown = text === '' ? {} : JSON.parse(text);
  if ((answer.statusCode ?? 500) < 400) return value;
  const error = (value as { error?: Partial<ErrorBody> }).error;
  if (error !== undefined && isErrorCode(error.code)) throw MurmurError.fromBody(error as ErrorBody);
  throw new MurmurError('INTERNAL', `the runner answered ${String(answer.statusCode)}`);
}

/** The error for a runner that cannot be reached. Retryable: the runner may be starting. */
export function unreachable(machine: Pick<Machine, 'name'>, why: string, cause?: unknown): MurmurError {
  return new MurmurError('UNAVAILABLE', `the runner on machine ${machine.name} cannot be reached: ${why}`, { cause });
}
