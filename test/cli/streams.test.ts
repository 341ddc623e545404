import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Interrupted } from '../../cli/output/failure.ts';
import { CliHarness, event } from './harness.ts';

let cli: CliHarness;

beforeAll(async () => {
  cli = await CliHarness.start();
});
afterAll(async () => {
  await cli.close();
});

const AT = '2026-05-14T18:30:12.345Z';

function entry(id: number, content: Record<string, unknown>): string {
  return event('event', { id: id.toString(), at: AT, event: content }, id.toString());
}

const SESSION =
  entry(1, { type: 'session_start', session_id: 's', model: 'opus', resumed: false }) +
  entry(2, { type: 'assistant_text', text: 'I will look.\nThen fix.' }) +
  entry(3, { type: 'tool_use', tool: 'Bash', tool_use_id: 'u', input: '{"command":"npm test"}' }) +
  entry(4, { type: 'tool_result', tool_use_id: 'u', text: '1\n2\n3\n4\n5\n6\n7', is_error: false }) +
  entry(5, { type: 'assistant_text', text: 'sub', subagent: 'agent-1' }) +
  entry(6, { type: 'turn_complete', turn_id: 't', turn: 1, status: 'completed', response: 'Done' });

describe('session watch', () => {
  it('prints timestamped lines and ends with the agent', async () => {
    cli.answer('session_watch', { stream: SESSION + event('end', {}) });
    const { code, stderr, stdout } = await cli.run(['session', 'watch', 'a']);
    expect(code).toBe(0);
    expect(stderr).toBe('watching a …\na has ended\n');
    const lines = stdout.split('\n').map((line) => line.replace(/^\[\d\d:\d\d:\d\d\]/, '[t]'));
    expect(lines).toEqual([
      '[t] session started (opus)',
      '[t] ▍ I will look.',
      '           Then fix.',
      '[t] 🔧 Bash(npm test)',
      '[t]    → 1',
      ...['2', '3', '4', '5'].map((line) => `                ${line}`),
      '                … 2 more lines',
      '[t]   agent-1 ▍ sub',
      '[t] turn 1 completed',
      '',
    ]);
  });

  it('prints one JSON object per event with --json', async () => {
    cli.answer('session_watch', { stream: SESSION + event('end', {}) });
    const { stdout } = await cli.run(['session', 'watch', 'a', '--json']);
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(6);
    expect(JSON.parse(lines[1] ?? '')).toEqual({
      id: '2',
      at: AT,
      event: { type: 'assistant_text', text: 'I will look.\nThen fix.' },
    });
  });

  it('exits with 130 on Ctrl-C, and prints on stderr where to resume', async () => {
    cli.answer('session_watch', { stream: `${SESSION}:hold\n\n` });
    const ending = new AbortController();
    const { code, stderr } = await cli.run(['session', 'watch', 'a'], {
      signal: ending.signal,
      onOutput: (text) => {
        if (text.includes('turn 1 completed')) ending.abort(new Interrupted('SIGINT'));
      },
    });
    expect(code).toBe(130);
    expect(stderr).toContain('last event: 6 (resume with --from 6)');
    expect(stderr).not.toContain('murmur:');
  });

  it('requests the events after --from', async () => {
    cli.answer('session_watch', { stream: event('end', {}) });
    await cli.run(['session', 'watch', 'a', '--from', '41']);
    expect(cli.lastInput()['from']).toBe('41');
  });

  it('ends with the error from the server', async () => {
    cli.answer('session_watch', { error: { code: 'NOT_FOUND', message: 'no such agent' } });
    const { code, stderr } = await cli.run(['session', 'watch', 'nobody']);
    expect(code).toBe(4);
    expect(stderr).toContain('murmur: no such agent');
  });
});

describe('watch', () => {
  it('prints lifecycle events with their time', async () => {
    const stream =
      entry(1, { type: 'phase', phase: 'running' }) +
      entry(2, { type: 'commit', sha: '0123456789abcdef', subject: 'Fix', branch: 'b', repo: 'r' }) +
      event('end', {});
    cli.answer('watch', { stream });
    const { stdout } = await cli.run(['watch', 'a']);
    expect(stdout).toBe('[2026-05-14T18:30:12Z] phase running\n[2026-05-14T18:30:12Z] commit 01234567 on b: Fix\n');
  });
});
