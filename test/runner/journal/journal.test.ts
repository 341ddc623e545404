import { afterEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { followJournal } from '../../../runner/journal/follow.ts';
import { Journal } from '../../../runner/journal/journal.ts';
import { cleanUp, makeFolder } from '../fixture.ts';

afterEach(cleanUp);

function note(text: string) {
  return { type: 'note', text } as const;
}

function openJournal(file = path.join(makeFolder(), 'journal.jsonl')): Journal {
  return new Journal(file);
}

/** Numbers of the events above `after` up to the end of the journal. */
async function readAll(journal: Journal, after: number): Promise<readonly number[]> {
  const seqs: number[] = [];
  const signals = { gone: new AbortController().signal, closing: AbortSignal.abort() };
  for await (const lines of followJournal(journal, after, signals)) {
    for (const line of lines.toString('utf8').trimEnd().split('\n')) seqs.push(JSON.parse(line).seq);
  }
  return seqs;
}

describe('a journal', () => {
  it('numbers from 1 without gaps, also after it was closed and opened', () => {
    const journal = openJournal();
    expect([journal.append(note('a')).seq, journal.append(note('b')).seq]).toEqual([1, 2]);
    journal.close();
    const again = openJournal(journal.file);
    expect(again.append(note('c')).seq).toBe(3);
  });

  it('has written an event when append returns', () => {
    const journal = openJournal();
    journal.append(note('a line\nin two'));
    expect(JSON.parse(readFileSync(journal.file, 'utf8')).event.text).toBe('a line\nin two');
  });

  it('is unchanged after a line that could only be written in part', () => {
    const file = path.join(makeFolder(), 'journal.jsonl');
    const module = path.join(import.meta.dirname, '../../../runner/journal/journal.ts');
    // A limit of the file size simulates a full disk. Node ignores its signal.
    const code = `import { Journal } from ${JSON.stringify(module)};
      const journal = new Journal(${JSON.stringify(file)});
      journal.append({ type: 'note', text: 'a' });
      const problem = journal.tryAppend({ type: 'note', text: 'x'.repeat(5_000) });
      journal.append({ type: 'note', text: 'b' });
      process.stdout.write(problem?.code ?? 'written');`;
    const words = ['-c', 'ulimit -f 1; exec "$0" --input-type=module -e "$1"', process.execPath, code];
    expect(spawnSync('bash', words, { encoding: 'utf8', timeout: 30_000 }).stdout).toBe('EFBIG');
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { seq: 1, event: { text: 'a' } },
      { seq: 2, event: { text: 'b' } },
    ]);
  });

  it.each([1, 10, 40])('removes a last line that lacks its last %i bytes', (bytes) => {
    const journal = openJournal();
    journal.append(note('whole'));
    journal.append(note('a torn line of some length'));
    journal.close();
    truncateSync(journal.file, journal.size - bytes);
    const again = openJournal(journal.file);
    expect(again.seq).toBe(1);
    expect(again.append(note('next')).seq).toBe(2);
    expect(
      readFileSync(journal.file, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).seq),
    ).toEqual([1, 2]);
  });

  it('removes garbage at its end', async () => {
    const journal = openJournal();
    journal.append(note('whole'));
    journal.close();
    appendFileSync(journal.file, Buffer.concat([Buffer.alloc(600), Buffer.from('\n{"seq":')]));
    const again = openJournal(journal.file);
    expect(again.append(note('next')).seq).toBe(2);
    expect(await readAll(again, 0)).toEqual([1, 2]);
  });

  it('knows the unfinished turn', () => {
    const journal = openJournal();
    journal.append({ type: 'turn_start', turn_id: 't1', turn: 1, inputs: [] });
    journal.append({ type: 'turn_complete', turn_id: 't1', turn: 1, status: 'completed', response: '' });
    expect(openJournal(journal.file).unfinished).toBeUndefined();
    journal.append({ type: 'turn_start', turn_id: 't2', turn: 2, inputs: [] });
    journal.append(note('working'));
    expect(openJournal(journal.file).unfinished).toMatchObject({ turn_id: 't2', turn: 2, answered: false });
    journal.append({ type: 'tool_use', tool: 'Bash', tool_use_id: 'u1', input: '{}' });
    expect(openJournal(journal.file).unfinished).toMatchObject({ turn_id: 't2', turn: 2, answered: true });
    journal.append({ type: 'usage', used_usd: 0.5 });
    journal.append({ type: 'cost', total_usd: 0.4, delta: { usd: 0.4, by_model: {} } });
    expect(openJournal(journal.file).unfinished).toMatchObject({ used_usd: 0.5, reported_usd: 0.4, notices: [] });
    journal.append({ type: 'user_text', text: 'the prompt' });
    journal.append({ type: 'user_text', text: 'a word', notice: 'n1' });
    expect(openJournal(journal.file).unfinished).toMatchObject({ notices: ['n1'] });
  });

  it('remembers the spent dollars', () => {
    const journal = openJournal();
    journal.append({ type: 'cost', total_usd: 0.25, delta: { usd: 0.25, by_model: {} } });
    expect([journal.spentUsd, openJournal(journal.file).spentUsd]).toEqual([0.25, 0.25]);
  });

  it('continues after a number that only the event log has, and never backwards', async () => {
    const journal = openJournal();
    journal.append(note('a'));
    journal.continueAfter(70);
    expect(journal.append(note('b')).seq).toBe(71);
    journal.continueAfter(5);
    expect(journal.append(note('c')).seq).toBe(72);
    expect(await readAll(journal, 70)).toEqual([71, 72]);
    expect(openJournal(journal.file).seq).toBe(72);
    expect(await readAll(openJournal(journal.file), 71)).toEqual([72]);
  });
});

describe('reading a journal', () => {
  it.each([0, 1, 255, 256, 257, 999, 1_000, 5_000])('after %i returns exactly the following events', async (after) => {
    const journal = openJournal();
    for (let seq = 1; seq <= 1_000; seq++) journal.append(note('x'.repeat(seq % 300)));
    const expected = Array.from({ length: Math.max(1_000 - after, 0) }, (_, at) => after + at + 1);
    expect(await readAll(journal, after)).toEqual(expected);
    expect(await readAll(openJournal(journal.file), after)).toEqual(expected);
  });

  it('gives many readers each event once and in order while others append', async () => {
    const journal = openJournal();
    const signals = { gone: new AbortController().signal, closing: new AbortController() };
    const readers = Array.from({ length: 20 }, async (_, at) => {
      const seqs: number[] = [];
      const follow = followJournal(journal, at, { gone: signals.gone, closing: signals.closing.signal });
      for await (const lines of follow) {
        for (const line of lines.toString('utf8').trimEnd().split('\n')) seqs.push(JSON.parse(line).seq);
      }
      return seqs;
    });
    for (let seq = 1; seq <= 500; seq++) {
      journal.append(note('é'.repeat(seq)));
      if (seq % 7 === 0) await new Promise(setImmediate);
    }
    signals.closing.abort();
    for (const [at, seqs] of (await Promise.all(readers)).entries()) {
      expect(seqs).toEqual(Array.from({ length: 500 - at }, (_, index) => at + index + 1));
    }
  });

  it('ends at once when the reader disconnects', async () => {
    const journal = openJournal();
    const gone = new AbortController();
    const follow = followJournal(journal, 0, { gone: gone.signal, closing: new AbortController().signal });
    const next = follow.next();
    gone.abort();
    expect((await next).done).toBe(true);
  });
});
