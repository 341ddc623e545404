// The fake backend's conversation on disk, so that resume is real: one JSON line per message. Built-ins only.
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ScriptedMessage } from './script.ts';

/** A message of the conversation. Tool results are the model's input as well. */
export interface FakeMessage extends ScriptedMessage {
  readonly role: 'user' | 'assistant' | 'tool';
}

/** The messages of one session: in memory, and in order on disk. */
export class FakeTranscript {
  readonly file: string;
  readonly #messages: FakeMessage[];
  /** Newline that a killed writer left out: the next line must not continue a torn one. */
  #separator: string;
  #written: Promise<void> = Promise.resolve();

  private constructor(file: string, content: string) {
    this.file = file;
    this.#messages = content.split('\n').flatMap(readMessage);
    this.#separator = content === '' || content.endsWith('\n') ? '' : '\n';
  }

  /** Reads what an earlier session with this id left; a torn last line is dropped. */
  static async open(home: string, sessionId: string): Promise<FakeTranscript> {
    const file = join(home, '.murmur-fake', `${sessionId}.jsonl`);
    await mkdir(dirname(file), { recursive: true });
    return new FakeTranscript(file, await readFile(file, 'utf8').catch(() => ''));
  }

  get messages(): readonly FakeMessage[] {
    return this.#messages;
  }

  /** Adds a message; resolves when it is on disk. Calls are written in order. */
  async add(role: FakeMessage['role'], text: string): Promise<void> {
    const message: FakeMessage = { role, text: text.toWellFormed() };
    this.#messages.push(message);
    const line = `${this.#separator}${JSON.stringify(message)}\n`;
    this.#separator = '';
    this.#written = this.#written.then(() => appendFile(this.file, line));
    await this.#written;
  }
}

function readMessage(line: string): readonly FakeMessage[] {
  try {
    return [JSON.parse(line) as FakeMessage];
  } catch {
    return [];
  }
}
