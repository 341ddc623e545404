import { expect, test } from '@jest/globals';
import type { AgentEvent } from '../../contract/wire/events.ts';
import { progressOf } from '../../agents/progress.ts';

const use = (tool: string, input: string): AgentEvent => ({ type: 'tool_use', tool, tool_use_id: 't', input });

test.each<[AgentEvent, string | undefined]>([
  [{ type: 'assistant_text', text: 'I look\n at it' }, '[text] I look at it'],
  [use('Bash', '{"command":"npm test","timeout":1}'), '[tool] Bash(npm test)'],
  [use('Read', '{"file_path":"/a/b.ts"}'), '[tool] Read(/a/b.ts)'],
  [use('Other', '{"x":1}'), '[tool] Other({"x":1})'],
  [use('Nothing', '{}'), '[tool] Nothing()'],
  [use('Cut', '{"command":"abc'), '[tool] Cut({"command":"abc)'],
  [{ type: 'commit', sha: '0123456789', subject: 'Fix it', branch: 'b', repo: 'r' }, '[commit] 01234567 Fix it'],
  [{ type: 'push', sha: '0123456789', branch: 'b', repo: 'r' }, '[push] b'],
  [{ type: 'user_text', text: 'x' }, undefined],
])('%j shows as %s', (event, shown) => {
  expect(progressOf(event)).toBe(shown);
});

test('control characters are removed and long texts are shortened', () => {
  const shown = progressOf({ type: 'assistant_text', text: `\u001b[31m${'x'.repeat(500)}\u202e` }) ?? '';
  expect(shown).toMatch(/^\[text\] \[31mx+…$/);
  expect(shown.length).toBeLessThanOrEqual(90);
});
