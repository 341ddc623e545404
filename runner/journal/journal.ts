// The journal: every event of the machine, numbered and written before it has any effect. It survives the end of the
// process. A crash of the host may lose the last events; the event log has a copy (`continueAfter`).
import { EventEmitter } from 'node:events';
import { closeSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { AgentEvent, SourcedEvent } from '../../contract/wire/events.ts';
import { recoverJournal } from './recover.ts';
import type { JournalMark, UnfinishedTurn } from './recover.ts';

/** Keeps one offset per this many lines: a reader starts near its position, and memory stays small. */
const INDEX_STEP = 256;

export class Journal {
  readonly file: string;
  /** The turn that had started and not ended when the journal was opened. */
  readonly unfinished: UnfinishedTurn | undefined;
  readonly #appended = new EventEmitter();
  readonly #marks: JournalMark[];
  #descriptor: number;
  #seq: number;
  #size: number;
  #spentUsd: number;

  /** Opens or creates the file. Removes an incomplete last line of a killed process. */
  constructor(file: string) {
    this.file = file;
    mkdirSync(path.dirname(file), { recursive: true });
    const recovered = recoverJournal(file, INDEX_STEP);
    this.unfinished = recovered.unfinished;
    this.#marks = [...recovered.marks];
    this.#seq = recovered.seq;
    this.#size = recovered.size;
    this.#spentUsd = recovered.spentUsd;
    this.#descriptor = openSync(file, 'a', 0o600);
    // Each reader adds a listener.
    this.#appended.setMaxListeners(0);
  }

  /** Number of the last event; 0 before the first. */
  get seq(): number {
    return this.#seq;
  }

  /** Bytes of whole lines in the file. */
  get size(): number {
    return this.#size;
  }

  /** Dollars spent, from the last cost event. */
  get spentUsd(): number {
    return this.#spentUsd;
  }

  /** Number of the next event. */
  get nextSeq(): number {
    return this.#seq + 1;
  }

  /**
   * Numbers, writes and announces an event. The operating system has it when this returns. Throws the system's error
   * when the write fails, for example on a full disk; the journal is then unchanged.
   */
  append(event: AgentEvent, at = new Date()): SourcedEvent {
    const sourced: SourcedEvent = { seq: this.nextSeq, at: at.toISOString(), event };
    const line = Buffer.from(`${JSON.stringify(sourced)}\n`);
    this.#write(line);
    if (sourced.seq % INDEX_STEP === 0) this.#marks.push({ seq: sourced.seq, offset: this.#size });
    this.#seq = sourced.seq;
    this.#size += line.length;
    if (event.type === 'cost') this.#spentUsd = event.total_usd;
    this.#appended.emit('appended');
    return sourced;
  }

  /** `append` for callers that must not throw: logs an error and returns it. */
  tryAppend(event: AgentEvent): Error | undefined {
    try {
      this.append(event);
      return undefined;
    } catch (error) {
      console.error(`an event could not be written to ${this.file}`, error);
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Continues after a number that the event log has and this file lost. No-op when the file is further. */
  continueAfter(seq: number): void {
    if (seq <= this.#seq) return;
    this.#seq = seq;
    this.#marks.push({ seq: seq + 1, offset: this.#size });
  }

  /** A position at or before the event after `after`. */
  markBefore(after: number): JournalMark {
    for (let at = this.#marks.length - 1; at >= 0; at--) {
      const mark = this.#marks[at];
      if (mark !== undefined && mark.seq <= after + 1) return mark;
    }
    return { seq: 0, offset: 0 };
  }

  /** Calls back after each append until the returned function is called. */
  onAppend(listener: () => void): () => void {
    this.#appended.on('appended', listener);
    return () => this.#appended.off('appended', listener);
  }

  close(): void {
    if (this.#descriptor < 0) return;
    closeSync(this.#descriptor);
    this.#descriptor = -1;
  }

  #write(line: Buffer): void {
    let written = 0;
    try {
      while (written < line.length) written += writeSync(this.#descriptor, line, written);
    } catch (error) {
      // Removes the partial line before the next one is written.
      if (written > 0) ftruncateSync(this.#descriptor, this.#size);
      throw error;
    }
  }
}
