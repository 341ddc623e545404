// The fake backend's conversation on disk, so that resume is real: one JSON line per message. Built-ins only.
// It lies in the agent's HOME, and the runner writes it: nothing is read or written through a link.
import { appendFileSync, closeSync, constants, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MakeFolders } from '../agent-folder.ts';
import { inFolder, openFile } from '../agent-folder.ts';
import type { ScriptedMessage } from './script.ts';

const FOLDER = '.murmur-fake';

/** A message of the conversation. Tool results are the model's input as well. */
export interface FakeMessage extends ScriptedMessage {
  readonly role: 'user' | 'assistant' | 'tool';
}

/** The messages of one session: in memory, and in order on disk. */
export class FakeTranscript {
  readonly sessionId: string;
  /** Absolute. */
  readonly file: string;
  readonly #home: string;
  readonly #user: MakeFolders['user'];
  readonly #name: string;
  readonly #messages: FakeMessage[];
  /** Newline that a killed writer left out: the next line must not continue a torn one. */
  #separator: string;

  /**
   * Reads what an earlier session with this id left; a torn last line is dropped, and so is what is no file of its own.
   */
  constructor(home: string, sessionId: string, user?: MakeFolders['user']) {
    this.sessionId = sessionId;
    this.#home = home;
    this.#user = user;
    this.#name = `${sessionId}.jsonl`;
    this.file = join(home, FOLDER, this.#name);
    const content = this.#read();
    this.#messages = content.split('\n').flatMap(readMessage);
    this.#separator = content === '' || content.endsWith('\n') ? '' : '\n';
  }

  /** Whether there is anything of that name, be it a conversation or not. */
  get exists(): boolean {
    return lstatSync(this.file, { throwIfNoEntry: false }) !== undefined;
  }

  get messages(): readonly FakeMessage[] {
    return this.#messages;
  }

  /** Adds a message. Throws when the agent has put something else in the place of the file. */
  add(role: FakeMessage['role'], text: string): void {
    const message: FakeMessage = { role, text: text.toWellFormed() };
    this.#messages.push(message);
    const line = `${this.#separator}${JSON.stringify(message)}\n`;
    this.#separator = '';
    this.#open(constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, (descriptor) => {
      appendFileSync(descriptor, line);
    });
  }

  #read(): string {
    try {
      return this.#open(constants.O_RDONLY, (descriptor) => readFileSync(descriptor, 'utf8'));
    } catch {
      return '';
    }
  }

  #open<Result>(flags: number, use: (descriptor: number) => Result): Result {
    const open = (folder: string): number => openFile(join(folder, this.#name), flags);
    const descriptor = inFolder(this.#home, [FOLDER], open, { user: this.#user });
    try {
      return use(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }
}

function readMessage(line: string): readonly FakeMessage[] {
  try {
    return [JSON.parse(line) as FakeMessage];
  } catch {
    return [];
  }
}
