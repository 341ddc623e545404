import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { oneLine, printable, safeJson } from '../../cli/output/sanitize.ts';
import { makeTerminal } from '../../cli/output/terminal.ts';
import { CliHarness, event } from './harness.ts';

const HOSTILE = 'a\u001b[2J\u001b]0;title\u0007b\u009b31mc\u202ed\rover\u0000';

describe('text from outside', () => {
  it('keeps newlines and tabs, but no other control characters', () => {
    const text = printable(`${HOSTILE}\n\tx\r\ny`);
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(text).toContain('\n\tx\ny');
    expect(text).toContain('␛[2J');
  });

  it('shows characters without width, and keeps the joiners of emoji', () => {
    // Zero width space, joiners between letters, word joiner, byte order mark, soft hyphen, a tag, a Hangul filler.
    for (const hidden of ['\u200b', '\u200c', '\u200d', '\u2060', '\ufeff', '\u00ad', '\u{e0041}', '\u3164']) {
      expect(printable(`ma${hidden}in`)).toBe('ma\ufffdin');
    }
    for (const emoji of ['👩‍💻', '👩🏽‍💻', '🏳️‍🌈', '👨‍👩‍👧', '❤️', '🤷‍♀️']) expect(printable(emoji)).toBe(emoji);
    expect(JSON.parse(safeJson('a\u{e0041}\u200bb'))).toBe('a\u{e0041}\u200bb');
    expect(safeJson('a\u{e0041}\u200bb')).toBe(String.raw`"a\udb40\udc41\u200bb"`);
  });

  it('replaces lone surrogates', () => {
    expect(printable('a\ud800b')).toBe('a\ufffdb');
  });

  it('is put on one line where required, and shortened by characters', () => {
    expect(oneLine(' a\n b\tc ')).toBe('a b c');
    expect(oneLine('🔧🔧🔧🔧', 3)).toBe('🔧🔧…');
  });

  it('printed as JSON, keeps its value', () => {
    const json = safeJson({ text: HOSTILE }, 2);
    expect(JSON.parse(json)).toEqual({ text: HOSTILE });
    expect(json).not.toMatch(/[\u007f-\u009f\u202e]/);
  });
});

describe('the terminal', () => {
  const written: string[] = [];
  const stream = { write: (text: string) => written.push(text), isTTY: true };

  it.each([
    [{}, true],
    [{ NO_COLOR: '1' }, false],
    [{ TERM: 'dumb' }, false],
    [{ NO_COLOR: '1', FORCE_COLOR: '1' }, false],
  ])('uses colours according to the environment %j', (env, coloured) => {
    written.length = 0;
    makeTerminal(stream, stream, env).line('text', 'red');
    expect(written.join('')).toBe(coloured ? '\u001b[31mtext\u001b[39m\n' : 'text\n');
  });

  it('does not colour a pipe by default', () => {
    written.length = 0;
    const pipe = { write: stream.write };
    makeTerminal(pipe, pipe, {}).line('text', 'red');
    makeTerminal(pipe, pipe, { FORCE_COLOR: '1' }).line('text', 'red');
    expect(written).toEqual(['text\n', '\u001b[31mtext\u001b[39m\n']);
  });
});

describe('commands', () => {
  let cli: CliHarness;
  beforeAll(async () => {
    cli = await CliHarness.start();
  });
  afterAll(async () => {
    await cli.close();
  });

  it.each([
    [
      ['ls'],
      'ls',
      { body: [{ slug: HOSTILE, path: HOSTILE, phase: 'idle', vm: HOSTILE, progress: HOSTILE, cost: 0 }] },
    ],
    [['task', 'get', 'a', '1'], 'task_get', { body: { id: '1', subject: HOSTILE, status: 'done' } }],
    [['ls', '--json'], 'ls', { body: [{ slug: HOSTILE }] }],
    [['ls'], 'ls', { error: { code: 'NOT_FOUND' as const, message: HOSTILE, hint: HOSTILE } }],
    [
      ['session', 'watch', 'a'],
      'session_watch',
      {
        stream:
          event('event', { id: '1', at: HOSTILE, event: { type: 'tool_result', text: HOSTILE, is_error: true } }, '1') +
          event('end', {}),
      },
    ],
  ])('never print raw control characters: %j', async (argv, operation, answer) => {
    cli.answer(operation, answer);
    const { stderr, stdout } = await cli.run(argv);
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(stdout + stderr).toContain('title');
  });
});
