// The model of the tree demo answers according to its input.
import { describe, expect, it } from '@jest/globals';
import { readRequest } from '../../demo/model/request.ts';
import type { ModelStep } from '../../demo/model/step.ts';
import { ADVICE, LEAD_TASK, MERGED, NOT_DONE, treeScript } from '../../demo/tree-script.ts';

type Message = { readonly role: 'user' | 'assistant'; readonly content: unknown };

const says = (text: string): Message => ({ role: 'assistant', content: text });
const hears = (text: string): Message => ({ role: 'user', content: text });
const gets = (text: string): Message => ({
  role: 'user',
  content: [{ type: 'tool_result', tool_use_id: 't', content: text }],
});
const news = (slug: string, answer: string): Message =>
  hears(`[child_lifecycle] Your child agent \`${slug}\` is task-complete (cost $0.01).\nIts last answer:\n\n${answer}`);

/** The model's answer to this conversation. */
function next(...messages: readonly Message[]): ModelStep {
  return treeScript(readRequest(1, {}, { messages }));
}

describe('the lead of the tree demo', () => {
  const begun = [hears(LEAD_TASK), says('spawned')];

  it("spawns three children on its checkout's origin", () => {
    const step = next(hears(LEAD_TASK), says('Where?'), gets('/srv/project.git\n'));
    expect(step.tools?.map(({ tool, input }) => [tool, input?.['slug'], input?.['repos']])).toEqual(
      ['totals', 'format', 'docs'].map((slug) => [
        'mcp__murmur__spawn',
        slug,
        [{ clone_url: '/srv/project.git', base_branch: 'main' }],
      ]),
    );
  });

  it('redirects a child that reports that it is not done', () => {
    expect(next(...begun, news('format', `${NOT_DONE} the test fails.`))).toMatchObject({
      tool: 'mcp__murmur__queue_add',
      input: { slug: 'format', description: ADVICE },
    });
  });

  it('merges only after the last report of every child is a success', () => {
    const heard = [news('format', `${NOT_DONE} x`), says('hint'), news('totals', 'Done: a'), says('waiting')];
    expect(next(...begun, ...heard, news('docs', 'Done: b'))).toMatchObject({ text: 'Waiting for format.' });
    const all = [...begun, ...heard, news('docs', 'Done: b'), says('waiting'), news('format', 'Done: c')];
    expect(next(...all)).toMatchObject({ tool: 'Bash', input: { command: expect.stringContaining('git merge') } });
    expect(next(...all, says('Merging.'), gets('CONFLICT')).text).toContain('did not work: CONFLICT');
    expect(next(...all, says(`${MERGED}.`), news('docs', 'Done: again')).text).toContain('already');
  });
});
