// Misbehaving programs: stand-ins that implement just enough of the protocol to violate it.
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createClaudeBackend } from '../../../../runner/backends/claude/backend.ts';
import type { AgentSession } from '../../../../runner/backends/backend.ts';
import { isAlive, SessionFixture, until } from '../../../../runner/backends/conformance-fixture.ts';
import { CLAUDE_TOOLS } from './real-program.ts';

/** Reads lines, answers the version, and runs `onUser` for each prompt; a program of its own in JavaScript. */
function program(onUser: string, before = ''): string {
  return `#!${process.execPath}
const say = (message) => console.log(JSON.stringify(message));
const state = (state) => say({ type: 'system', subtype: 'session_state_changed', state });
${before}
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const message = JSON.parse(line);
  if (message.type === 'control_request' && message.request.subtype === 'get_binary_version')
    say({ type: 'control_response', response: { subtype: 'success', request_id: message.request_id, response: {} } });
  if (message.type === 'user') { ${onUser} }
});
setInterval(() => {}, 1000);
`;
}

describe('a program that does not behave', () => {
  let fixture: SessionFixture;
  let file: string;

  beforeEach(async () => {
    const backend = createClaudeBackend({
      timeouts: { start: 30_000, interrupt: 50, sigint: 50, idle: 50, close: 50, sigterm: 50 },
    });
    fixture = await SessionFixture.create({
      backend,
      env: { PATH: '' },
      asked: () => [],
      tools: CLAUDE_TOOLS,
      tornLine: '',
      offered: () => [],
      kill: () => undefined,
      stop: () => Promise.resolve(),
    });
    file = join(fixture.home, 'bin', 'claude');
    await mkdir(dirname(file));
  });
  afterEach(async () => await fixture.remove());

  async function open(source: string): Promise<AgentSession> {
    await writeFile(file, source);
    await chmod(file, 0o755);
    return await fixture.open({ env: { PATH: dirname(file) } });
  }

  it('that is missing is named, with how to install it', async () => {
    await expect(fixture.open()).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: 'claude is not on PATH',
      hint: expect.stringContaining('npm install -g @anthropic-ai/claude-code'),
    });
  });

  it('that ends at once is named with its error output, and its key file is removed', async () => {
    await writeFile(file, '#!/bin/sh\necho "error: unknown option --system-prompt-snapshot" >&2; exit 1\n');
    await chmod(file, 0o755);
    const opening = fixture.open({ env: { PATH: `${dirname(file)}:/usr/bin:/bin`, ANTHROPIC_API_KEY: 'key' } });
    await expect(opening).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(/claude did not start: exit status 1: error: unknown option/),
    });
    expect(await readdir(fixture.runDir)).toEqual([]);
  });

  it('that never answers is ended', async () => {
    const backend = createClaudeBackend({ program: file, timeouts: { start: 50 } });
    await writeFile(file, `#!${process.execPath}\nsetInterval(() => {}, 1000);\n`);
    await chmod(file, 0o755);
    const other = await SessionFixture.create({
      backend,
      env: {},
      asked: () => [],
      tools: CLAUDE_TOOLS,
      tornLine: '',
      offered: () => [],
      kill: () => undefined,
      stop: () => Promise.resolve(),
    });
    await expect(other.open()).rejects.toMatchObject({ message: expect.stringContaining('no answer within') });
    await other.remove();
  });

  it('that ignores an interrupt and SIGINT is killed, and the turn ends as interrupted', async () => {
    const started = "say({ type: 'system', subtype: 'init', session_id: 'x', model: 'y' });";
    const session = await open(program(started, "process.on('SIGINT', () => {});"));
    const turn = fixture.turn(session, 'hello');
    await until(() => fixture.events.length > 0, 'the program to take the prompt');
    await session.interrupt();
    expect(await turn).toMatchObject({ status: 'interrupted' });
    expect((await session.exited).reason).toBe('killed by SIGKILL');
  });

  it('that ignores the end of its input and SIGTERM is killed', async () => {
    const session = await open(program('', "process.on('SIGTERM', () => {});"));
    await session.stop();
    expect(isAlive(session.pid ?? 0)).toBe(false);
    expect((await session.exited).reason).toBe('killed by SIGKILL');
  });

  it('that does not report idle ends its turn with the result', async () => {
    const session = await open(
      program(
        "say({ type: 'result', subtype: 'success', is_error: false, result: 'done', user_message_uuids: [message.uuid] });",
      ),
    );
    expect(await fixture.turn(session, 'hello')).toMatchObject({ status: 'completed', response: 'done' });
  });

  it('that prints invalid messages or results of other prompts does not end the turn', async () => {
    const session = await open(
      program(`
        console.log('a stray line'); say(7); say(null); say({ type: 'news' });
        say({ type: 'result', subtype: 'success', is_error: false, result: 'other', user_message_uuids: ['x'] }); state('idle');
        say({ type: 'result', subtype: 'success', is_error: false, result: 'ours', user_message_uuids: [message.uuid] }); state('idle');
      `),
    );
    expect(await fixture.turn(session, 'hello')).toMatchObject({ status: 'completed', response: 'ours' });
  });

  it('that makes an unsupported request gets an error and continues', async () => {
    const session = await open(
      program(
        "state('running'); uuid = message.uuid; say({ type: 'control_request', request_id: 'q', request: { subtype: 'can_use_tool' } });",
        `let uuid; process.stdin.on('data', (data) => { if (String(data).includes('"control_response"')) {
           say({ type: 'result', subtype: 'success', is_error: false, result: 'refused', user_message_uuids: [uuid] }); state('idle'); } });`,
      ),
    );
    expect(await fixture.turn(session, 'hello')).toMatchObject({ status: 'completed', response: 'refused' });
  });

  it('that ends during a turn crashes it, with the end of its error output', async () => {
    const session = await open(program("console.error('out of memory'); process.exit(7);"));
    const end = await fixture.turn(session, 'hello');
    expect(end).toMatchObject({ status: 'crashed', error: { kind: 'program' } });
    expect(end.error?.message).toContain('exit status 7: out of memory');
    expect(fixture.events.map(({ type }) => type)).toEqual(['user_text', 'error']);
  });

  it('that stops at its own limit ends the turn as limit', async () => {
    const session = await open(
      program(
        "say({ type: 'result', subtype: 'error_max_turns', is_error: true, errors: ['Reached maximum'] }); state('idle');",
      ),
    );
    const end = await fixture.turn(session, 'hello');
    expect(end).toMatchObject({ status: 'limit' });
    expect(end.error?.message).toBe('Reached maximum');
  });
});
