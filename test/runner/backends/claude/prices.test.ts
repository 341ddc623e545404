// The price table against the figures of the real program.
import { randomUUID } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { messageCost } from '../../../../runner/backends/claude/prices.ts';
import { script, SessionFixture } from '../../../../runner/backends/conformance-fixture.ts';
import { describeWithClaude, startClaudeHarness, TEST_MS } from './real-program.ts';

describeWithClaude('the price table', () => {
  it.each(['opus', 'sonnet', 'haiku', 'fable', 'claude-opus-4-5', 'claude-haiku-4-5', 'somebody-elses-model'])(
    'counts %s as Claude Code does',
    async (model) => {
      const harness = await startClaudeHarness();
      const fixture = await SessionFixture.create(harness);
      try {
        const session = await fixture.open({ model, sessionId: randomUUID() });
        for (const kind of [
          'input_tokens',
          'output_tokens',
          'cache_read_input_tokens',
          'cache_creation_input_tokens',
        ] as const) {
          const none = {
            input_tokens: 0,
            output_tokens: 0,
            cache_read_input_tokens: 0,
            cache_creation_input_tokens: 0,
          };
          const tokens = { ...none, [kind]: 10_000 };
          const end = await fixture.turn(session, script({ text: 'x', usage: tokens }));
          const [name = ''] = Object.keys(end.cost.by_model);
          expect({ kind, usd: messageCost(name, tokens).usd }).toEqual({ kind, usd: expect.closeTo(end.cost.usd, 9) });
        }
      } finally {
        await fixture.remove();
        await harness.stop();
      }
    },
    TEST_MS,
  );
});
