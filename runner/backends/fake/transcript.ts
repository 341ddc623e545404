// The fake backend's conversation on disk, so that resume is real: one JSON line per message. Built-ins only.
// The runner writes it in the agent's HOME, so it never follows a link there.
import { appendFileSync, closeSync, constants, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MakeFolders } from '../agent-folder.ts';
import { inFolder, openFile } from '../agent-folder.ts';
import type { ScriptedMessage } from './script.ts';

const FOLDER = '.murmur-fake';

/** A message of the conversation. Tool results are input of the model too. */
export interface FakeMessage extends ScriptedMessage {
  readonly role: 'user' | 'assistant' | 'tool';
}

/** The messages of one session: in memory, and in order on disk. */
export class FakeTranscript {
  readonly sessionId: string;
  /** Absolute path. */
  readonly file: string;
  readonly #home: string;
  readonly #user: MakeFolders['user'];
  readonly #name: string;
  readonly #messages: FakeMessage[];
  /** A newline if a killed writer left an incomplete line: the next message must begin a new one. */
  #separator: string;

  /**
   * Reads the messages of an earlier session with this id. Ignores an incomplete last line, links and other non-files.
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

  /** Whether anything of that name exists, even if it is not a conversation. */
  get exists(): boolean {
    return lstatSync(this.file, { throwIfNoEntry: false }) !== undefined;
  }

  get messages(): readonly FakeMessage[] {
    return this.#messages;
  }

  /** Adds a message. Throws when the agent has replaced the file by something else. */
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
