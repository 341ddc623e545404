// The request that opens an agent's session, and the prompt of a turn.
import { describe, expect, it } from '@jest/globals';
import { createAgentActivities } from '../../activities/agent.ts';
import type { ServerAddress } from '../../contract/wire/runner.ts';
import { storeText } from '../../agents/texts.ts';
import { message } from '../fixtures/agent-state.ts';
import { activityBench, attempt, rejection } from '../fixtures/activity-bench.ts';
import { eventually } from '../fixtures/waiting.ts';

describe('the agent', () => {
  it('is opened once per worker, and again for a new runner', async () => {
    await using bench = await activityBench();
    const { activities } = bench.worker();
    const run = async (turn_id: string): Promise<void> => {
      const before = bench.runner.prompts.length;
      const turn = attempt(activities.runTurn, bench.turn({ turn_id }));
      await eventually(() => bench.runner.prompts.length > before, 'the prompt');
      bench.runner.endTurn();
      await turn.result;
    };
    await run('turn-1');
    await run('turn-2');
    expect(bench.runner.opens).toHaveLength(1);
    bench.runner.restart();
    await run('turn-3');
    expect(bench.runner.opens).toHaveLength(2);
    expect(bench.runner.opens[1]?.journal_after).toBe(4);
  });

  it('gets credentials and secrets by value, with the names of those to redact', async () => {
    const ref = 'agents/w/default/u/tess/fix/texts/spawn-1-system.txt';
    await using bench = await activityBench({
      identity: { workspace: 'default', account: 'tess', path: ['fix'] },
      append_system_prompt: { text: 'head', ref },
      allow_repos: ['github.com/acme'],
      model: 'm1',
    });
    await bench.ports.secrets.put(bench.spec.secrets?.ref ?? '', { NPM_TOKEN: 'npm-1' });
    await bench.ports.objects.put(ref, 'the whole system prompt');
    const turn = attempt(bench.worker().activities.runTurn, bench.turn());
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    bench.runner.endTurn();
    await turn.result;
    expect(bench.runner.opens[0]).toMatchObject({
      model: 'm1',
      append_system_prompt: 'the whole system prompt',
      allow_repos: ['github.com/acme'],
      env: { ANTHROPIC_API_KEY: 'sk-1', ANTHROPIC_BASE_URL: 'http://model', NPM_TOKEN: 'npm-1' },
      secret_names: ['ANTHROPIC_API_KEY', 'NPM_TOKEN'],
    });
  });

  const OPERATOR = {
    ANTHROPIC_API_KEY: 'sk-operator',
    CLAUDE_CODE_OAUTH_TOKEN: 'oauth-operator',
    ANTHROPIC_BASE_URL: 'http://operator',
  };
  it.each([
    {
      which: 'no key of its own gets the credentials of the operator',
      secrets: { GH_TOKEN: 'gh' },
      env: { ...OPERATOR, GH_TOKEN: 'gh' },
      dropped: undefined,
    },
    {
      which: 'a key of its own gets no key of the operator, whatever its kind',
      secrets: { ANTHROPIC_AUTH_TOKEN: 'mine' },
      env: { ANTHROPIC_AUTH_TOKEN: 'mine', ANTHROPIC_BASE_URL: 'http://operator' },
      dropped: undefined,
    },
    {
      which: 'a key and an address of its own gets nothing of the operator',
      secrets: { ANTHROPIC_API_KEY: 'mine', ANTHROPIC_BASE_URL: 'http://mine' },
      env: { ANTHROPIC_API_KEY: 'mine', ANTHROPIC_BASE_URL: 'http://mine' },
      dropped: undefined,
    },
    {
      which: 'an address without a key, from an earlier build, goes on with the address of the operator',
      secrets: { ANTHROPIC_BASE_URL: 'http://mine', OPENAI_API_KEY: 'mine' },
      env: { ...OPERATOR, OPENAI_API_KEY: 'mine' },
      dropped: ['ANTHROPIC_BASE_URL'],
    },
    {
      which: 'names that steer programs, from an earlier build, goes on without them',
      secrets: { LOCPATH: '/x', http_proxy: 'http://x', db_password: 'kept', MURMUR_TOKEN: 'token-1' },
      env: { ...OPERATOR, db_password: 'kept', MURMUR_TOKEN: 'token-1' },
      dropped: ['LOCPATH', 'http_proxy'],
    },
  ])('an agent with $which', async ({ secrets, env, dropped }) => {
    await using bench = await activityBench();
    await bench.ports.secrets.put(bench.spec.secrets?.ref ?? '', secrets);
    const { runTurn } = createAgentActivities({ ...bench.ports, credentials: OPERATOR });
    const turn = attempt(runTurn, bench.turn());
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    bench.runner.endTurn();
    await turn.result;
    const [open] = bench.runner.opens;
    expect(open?.env).toEqual({ ...env, MURMUR_WORKFLOW_ID: bench.agent });
    expect(open?.dropped_secrets).toEqual(dropped);
  });

  it('gets its id and the address of the API server, again after a change; its token is a secret', async () => {
    await using bench = await activityBench();
    await bench.ports.secrets.put(bench.spec.secrets?.ref ?? '', { MURMUR_TOKEN: 'token-1' });
    let port: number | undefined;
    const api = (): ServerAddress | undefined => (port === undefined ? undefined : { host: '127.0.0.1', port });
    const { runTurn } = createAgentActivities({ ...bench.ports, api });
    const run = async (turn_id: string): Promise<void> => {
      const prompts = bench.runner.prompts.length;
      const turn = attempt(runTurn, bench.turn({ turn_id }));
      await eventually(() => bench.runner.prompts.length > prompts, 'the prompt');
      bench.runner.endTurn();
      await turn.result;
    };
    await run('turn-1');
    port = 5_001;
    await run('turn-2');
    await run('turn-3');
    port = 5_002;
    await run('turn-4');
    expect(bench.runner.opens.map((request) => request.api?.port)).toEqual([undefined, 5_001, 5_002]);
    expect(bench.runner.opens[0]).toMatchObject({
      env: { MURMUR_WORKFLOW_ID: bench.agent, MURMUR_TOKEN: 'token-1' },
      secret_names: ['ANTHROPIC_API_KEY', 'MURMUR_TOKEN'],
    });
  });
});

describe('the prompt', () => {
  it('contains long texts as a whole, and separates several messages', async () => {
    await using bench = await activityBench();
    const ref = `agents/${bench.agent}/texts/long.txt`;
    await bench.ports.objects.put(ref, 'x'.repeat(1_000_000));
    const long = { ...message('x'), text: { text: 'x', ref } };
    const inputs = [message('a note', 'system'), long, message('second')];
    const turn = attempt(bench.worker().activities.runTurn, bench.turn({ inputs }));
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    bench.runner.endTurn();
    await turn.result;
    const [request] = bench.runner.prompts;
    const expected = `a note\n\nMessage 1 of 2, from tess:\n${'x'.repeat(1_000_000)}\n\nMessage 2 of 2, from tess:\nsecond`;
    expect(request?.prompt === expected).toBe(true);
    expect(request?.inputs.map((input) => input.text)).toEqual(['a note', 'x', 'second']);
  });

  it('does not contain a text that was replaced in the store, and names its sender', async () => {
    await using bench = await activityBench();
    const text = await storeText(bench.ports.objects, bench.agent, { kind: 'message', id: 'm' }, 'x'.repeat(20_000));
    await bench.ports.objects.put(text.ref ?? '', 'other words');
    const inputs = [{ ...message('x'), text }, message('second')];
    const turn = attempt(bench.worker().activities.runTurn, bench.turn({ inputs }));
    await eventually(() => bench.runner.prompts.length === 1, 'the prompt');
    bench.runner.endTurn();
    await turn.result;
    expect(bench.runner.prompts[0]?.prompt).toMatch(/names tess as its sender could not be read: .*\n\n.*\nsecond$/s);
    expect(bench.runner.prompts[0]?.prompt).not.toContain('other words');
  });

  it('fails permanently if a stored text is missing', async () => {
    await using bench = await activityBench();
    const inputs = [{ ...message('x'), text: { text: 'x', ref: `agents/${bench.agent}/texts/gone.txt` } }];
    const failure = await rejection(attempt(bench.worker().activities.runTurn, bench.turn({ inputs })).result);
    expect(failure).toMatchObject({ type: 'NOT_FOUND', nonRetryable: true });
  });
});
