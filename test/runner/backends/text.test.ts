// Splits bytes into lines, and prepares text for events.
import { describe, expect, it } from '@jest/globals';
import { EVENT_TEXT_LIMIT } from '../../../contract/wire/events.ts';
import { eventText } from '../../../runner/backends/event-text.ts';
import { lineSplitter } from '../../../runner/backends/line-splitter.ts';

describe('eventText', () => {
  it('keeps a short text, and replaces a lone surrogate', () => {
    expect(eventText('a\u0007b\ud83d')).toEqual({ text: 'a\u0007b\ufffd' });
  });

  it('cuts a long text between characters and reports the bytes of the whole', () => {
    const long = 'ä'.repeat(EVENT_TEXT_LIMIT - 1) + '🙂' + 'z'.repeat(10);
    const cut = eventText(long);
    expect(cut.text).toBe('ä'.repeat(EVENT_TEXT_LIMIT - 1));
    expect(cut.whole_bytes).toBe(2 * (EVENT_TEXT_LIMIT - 1) + 4 + 10);
  });
});

describe('lineSplitter', () => {
  function split(...chunks: readonly Buffer[]): readonly string[] {
    const lines: string[] = [];
    const take = lineSplitter((line) => lines.push(line));
    for (const chunk of chunks) take(chunk);
    return lines;
  }

  it('joins the pieces of a line, also within a character', () => {
    const bytes = Buffer.from('one🙂\n\ntwo\nrest');
    const byteByByte = Array.from(bytes, (byte) => Buffer.from([byte]));
    expect(split(...byteByByte)).toEqual(['one🙂', 'two']);
    expect(split(bytes)).toEqual(['one🙂', 'two']);
  });

  it('replaces bytes that are not UTF-8', () => {
    expect(split(Buffer.from([0x61, 0xff, 0x62, 0x0a]))).toEqual(['a\ufffdb']);
  });

  it('accepts a line of 8 MB in small pieces', () => {
    const piece = Buffer.alloc(65_536, 'x');
    const lines = split(...Array.from({ length: 128 }, () => piece), Buffer.from('\n'));
    expect(lines.map(({ length }) => length)).toEqual([8 * 1024 * 1024]);
  });
});
