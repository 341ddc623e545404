// The running program as a stream of messages: lines in, lines out, control requests with their answers, its end.
// Built-ins only.
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { lineSplitter } from '../line-splitter.ts';
import type {
  ControlRequest,
  ControlRequestMessage,
  ControlResponseMessage,
  InputMessage,
  ProgramMessage,
} from './protocol.ts';
import { readMessage, writeLine } from './protocol.ts';

/** How the program ended. `words` is the end of what it printed beside messages: its reason, when it had one. */
export interface ProgramExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly words: string;
}

/** Enough of stderr to hold a stack trace. */
const OUTPUT_LIMIT = 8_192;

/** A process that the program left behind may hold its pipes open: its end is not kept waiting for them. */
const DRAIN_MS = 1_000;

type ControlResponse = ControlResponseMessage['response'];

/**
 * Wraps the child and hands its messages, in order, to one listener; control responses go to who asked. Hooks are
 * answered at once, as the program waits: what they are answered must be known.
 */
export class ProgramProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #awaited = new Map<string, (response: ControlResponse | undefined) => void>();
  readonly #onMessage: (message: ProgramMessage) => void;
  readonly #onHook: (request: ControlRequestMessage) => object;
  #output = '';
  /** Resolves once, when the program has ended and what it had printed was handed over. */
  readonly exited: Promise<ProgramExit>;

  constructor(
    child: ChildProcessWithoutNullStreams,
    onMessage: (message: ProgramMessage) => void,
    onHook: (request: ControlRequestMessage) => object,
  ) {
    this.#child = child;
    this.#onMessage = onMessage;
    this.#onHook = onHook;
    child.stdout.on(
      'data',
      lineSplitter((line) => this.#take(line)),
    );
    child.stderr.on('data', (chunk: Buffer) => this.#keepOutput(chunk.toString('utf8')));
    // Writing to a program that has ended fails here; its end is told by `exited`.
    child.stdin.on('error', () => undefined);
    this.exited = this.#end();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(message: InputMessage): void {
    if (this.#child.stdin.writable) this.#child.stdin.write(writeLine(message));
  }

  /** Asks the program. Undefined when it ended before it answered. */
  async control(request: ControlRequest): Promise<ControlResponse | undefined> {
    const request_id = randomUUID();
    const answer = new Promise<ControlResponse | undefined>((resolve) => this.#awaited.set(request_id, resolve));
    void this.exited.then(() => this.#awaited.get(request_id)?.(undefined));
    this.send({ type: 'control_request', request_id, request });
    return await answer.finally(() => this.#awaited.delete(request_id));
  }

  /** Asks the program to end by itself: it finishes what it does. */
  closeInput(): void {
    this.#child.stdin.end();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  #take(line: string): void {
    const message = readMessage(line);
    if (message === undefined) {
      this.#keepOutput(`${line}\n`);
    } else if (message.type === 'control_response') {
      this.#awaited.get(message.response.request_id)?.(message.response);
    } else if (message.type === 'control_request') {
      const { request_id, request } = message;
      const isHook = request?.subtype === 'hook_callback';
      const answer = isHook
        ? { subtype: 'success', request_id, response: this.#onHook(message) }
        : { subtype: 'error', request_id, error: 'not supported' };
      this.send({ type: 'control_response', response: answer });
    } else {
      this.#onMessage(message);
    }
  }

  #keepOutput(text: string): void {
    this.#output = (this.#output + text).slice(-OUTPUT_LIMIT);
  }

  #end(): Promise<ProgramExit> {
    return new Promise((resolve) => {
      const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
        // Whatever still holds the other ends must neither keep us alive nor wait for us.
        for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream.destroy();
        resolve({ code, signal, words: this.#output.trim() });
      };
      this.#child.once('error', (error) => {
        this.#keepOutput(error.message);
        if (this.#child.pid === undefined) finish(null, null);
      });
      this.#child.once('exit', (code, signal) => {
        setTimeout(() => finish(code, signal), DRAIN_MS).unref();
      });
      this.#child.once('close', finish);
    });
  }
}

/** An end in words: "exit status 1: …", "killed by SIGKILL". */
export function exitReason({ code, signal, words }: ProgramExit): string {
  const how = signal !== null ? `killed by ${signal}` : code === null ? 'did not start' : `exit status ${code}`;
  return words === '' ? how : `${how}: ${words}`;
}
