// The running program as a stream of messages: input and output lines, control requests with answers, and its exit.
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

/** How the program ended. `words` is the end of its other output, which often says why. */
export interface ProgramExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly words: string;
}

/** Enough of stderr to hold a stack trace. */
const OUTPUT_LIMIT = 8_192;

/** A process that the program left behind may hold its pipes open. The exit does not wait longer for them. */
const DRAIN_MS = 1_000;

type ControlResponse = ControlResponseMessage['response'];

/**
 * Wraps the child and passes its messages, in order, to one listener. Control responses go to their requests. Hooks are
 * answered synchronously, because the program waits for the answer.
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

  /** Sends a control request. Undefined when the program ended before it answered. */
  async control(request: ControlRequest): Promise<ControlResponse | undefined> {
    const request_id = randomUUID();
    const answer = new Promise<ControlResponse | undefined>((resolve) => this.#awaited.set(request_id, resolve));
    void this.exited.then(() => this.#awaited.get(request_id)?.(undefined));
    this.send({ type: 'control_request', request_id, request });
    return await answer.finally(() => this.#awaited.delete(request_id));
  }

  /** Closes the input, so that the program finishes its work and exits. */
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
        // A process that still holds the pipes must neither keep us alive nor block on us.
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

/** The exit as text: "exit status 1: …", "killed by SIGKILL". */
export function exitReason({ code, signal, words }: ProgramExit): string {
  const how = signal !== null ? `killed by ${signal}` : code === null ? 'did not start' : `exit status ${code}`;
  return words === '' ? how : `${how}: ${words}`;
}
