// Which hooks of Claude Code get a notice, without the program; conformance.test.ts uses the program.
import { describe, expect, it } from '@jest/globals';
import { NO_NOTICE, NoticesOfTurn } from '../../../../runner/backends/claude/notices.ts';
import type { ControlRequestMessage, UserMessage } from '../../../../runner/backends/claude/protocol.ts';

const notice = { id: 'n1', text: 'a word' };

function hook(input: object): ControlRequestMessage {
  const all = { hook_event_name: 'PostToolUse', tool_use_id: 'call 1', ...input };
  return { type: 'control_request', request_id: 'r', request: { subtype: 'hook_callback', input: all } };
}

function results(...calls: string[]): UserMessage {
  const content = calls.map((id) => ({ type: 'tool_result', tool_use_id: id }) as const);
  return { type: 'user', message: { content } };
}

describe('notices of a turn', () => {
  it.each([['PostToolUse'], ['PostToolUseFailure']])('are delivered at %s', (event) => {
    const answer = new NoticesOfTurn(() => notice).answer(hook({ hook_event_name: event }));
    expect(answer).toEqual({ hookSpecificOutput: { hookEventName: event, additionalContext: 'a word' } });
  });

  it.each([
    ['a subagent', { agent_id: 'a1' }],
    ['another event', { hook_event_name: 'PreToolUse' }],
  ])('are not delivered for %s', (_what, input) => {
    const taken: object[] = [];
    const notices = new NoticesOfTurn(() => {
      taken.push(notice);
      return notice;
    });
    expect(notices.answer(hook(input))).toBe(NO_NOTICE);
    expect(taken).toEqual([]);
  });

  it('are reported once, with the result of the same tool', () => {
    const notices = new NoticesOfTurn(() => notice);
    expect(notices.takenWith(results('call 1'))).toEqual([]);
    notices.answer(hook({}));
    expect(notices.takenWith(results('call 2'))).toEqual([]);
    expect(notices.takenWith(results('call 2', 'call 1'))).toEqual([notice]);
    expect(notices.takenWith(results('call 1'))).toEqual([]);
  });
});
