import { describe, expect, it } from '@jest/globals';
import { EVENT_TEXT_LIMIT } from '../../../contract/wire/events.ts';
import { cutBytes, journalable } from '../../../runner/secrets/event-text.ts';
import { Scrubber } from '../../../runner/secrets/scrubber.ts';

function scrubberOf(secrets: Record<string, string>): Scrubber {
  const scrubber = new Scrubber();
  scrubber.add(secrets);
  return scrubber;
}

async function scrubBytes(scrubber: Scrubber, chunks: readonly Buffer[]): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of scrubber.stream(chunks as unknown as AsyncIterable<Buffer>)) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

describe('a scrubber', () => {
  const value = 'p"ass/wörd+1 &x';
  const scrubber = scrubberOf({ TOKEN: value });

  it.each([
    ['unchanged', value],
    ['in JSON', JSON.stringify({ a: value })],
    ['in JSON in JSON', JSON.stringify(JSON.stringify({ a: value }))],
    ['in base64', Buffer.from(value).toString('base64')],
    ['in base64 after a user name', Buffer.from(`user:${value}`).toString('base64')],
    ['in base64 between others', Buffer.from(`ab${value}cd`).toString('base64')],
    ['in base64 for URLs', Buffer.from(value).toString('base64url')],
    ['in a URL', `https://h/?q=${encodeURIComponent(value)}`],
    ['in a form', new URLSearchParams({ q: value }).toString()],
  ])('finds the value %s', (_, text) => {
    const clean = scrubber.text(text);
    expect(clean).toContain('[secret TOKEN]');
    expect(clean).not.toContain('wörd');
    expect(clean).not.toContain(Buffer.from(value).toString('base64').slice(4, 12));
  });

  it('finds a value in base64 after any other text', () => {
    for (let before = 0; before < 6; before++) {
      const text = Buffer.from('x'.repeat(before) + 'hunter2hunter2' + 'tail').toString('base64');
      expect(scrubberOf({ P: 'hunter2hunter2' }).text(text)).toContain('[secret P]');
    }
  });

  it('also removes single lines of a private key', () => {
    const key =
      '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\nggSjAgEAAoIBAQC7VJTUt9Us8cKj\n-----END KEY-----\n';
    expect(scrubberOf({ KEY: key }).text('  2 MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw')).toBe('  2 [secret KEY]');
  });

  it('ignores values under four characters', () => {
    expect(scrubberOf({ A: 'abc' }).text('abc')).toBe('abc');
  });

  it('replaces the longer of two values with the same beginning', () => {
    expect(scrubberOf({ A: 'secret', B: 'secret-long' }).text('secret-long')).toBe('[secret B]');
  });

  it('treats values as text, not as patterns', () => {
    expect(scrubberOf({ A: 'a.c*(d' }).text('abcd a.c*(d')).toBe('abcd [secret A]');
  });

  it('scrubs every string in a value but no keys', () => {
    expect(scrubberOf({ A: 'topsecret' }).value({ topsecret: ['x topsecret', 1, null] })).toEqual({
      topsecret: ['x [secret A]', 1, null],
    });
  });

  it('finds a value that spans chunks of a stream', async () => {
    const bytes = Buffer.from('début topsecret, ünd topsecret. fin');
    for (let size = 1; size < bytes.length; size++) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
        bytes.subarray(at * size, (at + 1) * size),
      );
      const clean = await scrubBytes(scrubberOf({ A: 'topsecret' }), chunks);
      expect(clean).toBe('début [secret A], ünd [secret A]. fin');
    }
  });

  it('keeps bytes that are not text', async () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x80]);
    const parts: Buffer[] = [];
    const chunks = [bytes] as unknown as AsyncIterable<Buffer>;
    for await (const part of scrubberOf({ A: 'topsecret' }).stream(chunks)) parts.push(part);
    expect(Buffer.concat(parts)).toEqual(bytes);
  });
});

describe('an event for the journal', () => {
  it('is scrubbed before it is cut', () => {
    const text = 'x'.repeat(EVENT_TEXT_LIMIT - 5) + 'topsecret-value';
    const event = journalable({ type: 'assistant_text', text }, scrubberOf({ A: 'topsecret-value' }));
    expect(event.text).not.toContain('topse');
    expect(event.text.length).toBeLessThanOrEqual(EVENT_TEXT_LIMIT);
  });

  it('does not show the beginning of a secret that was cut before', () => {
    const text = ('x'.repeat(EVENT_TEXT_LIMIT) + 'topsecret-value').slice(9, EVENT_TEXT_LIMIT + 9);
    const event = journalable({ type: 'assistant_text', text }, scrubberOf({ A: 'topsecret-value' }));
    expect(event.text).not.toContain('tops');
  });

  it('has the length of the whole tool result', () => {
    const text = 'ü'.repeat(5_000_000);
    const event = journalable(
      { type: 'tool_result', tool_use_id: 'a', text, is_error: false } as const,
      new Scrubber(),
    );
    expect(event).toMatchObject({ whole_bytes: 10_000_000 });
    expect(event.text.length).toBe(EVENT_TEXT_LIMIT);
  });

  it('has no lone surrogates', () => {
    const event = journalable(
      { type: 'assistant_text', text: `\ud800${'😀'.repeat(EVENT_TEXT_LIMIT)}` } as const,
      new Scrubber(),
    );
    expect(event.text.isWellFormed()).toBe(true);
  });
});

describe('a text of limited bytes', () => {
  it('ends between characters', () => {
    for (let limit = 0; limit < 12; limit++) {
      const cut = cutBytes('a€😀é', limit);
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(limit);
      expect('a€😀é'.startsWith(cut)).toBe(true);
    }
    expect(cutBytes('a€😀é', 10)).toBe('a€😀é');
  });
});
