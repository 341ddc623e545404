import { afterEach, describe, expect, it } from '@jest/globals';
import { bash, cleanUp, eventsUpTo, makeFolder, openRequest, runTurn, startRunner } from './fixture.ts';

afterEach(cleanUp);

describe('opening', () => {
  it('again with the same request changes nothing, and concurrent calls open once', async () => {
    const runner = await startRunner();
    const request = openRequest();
    const [one, two] = await Promise.all([runner.client.open(request), runner.client.open(request)]);
    expect([one, await runner.client.open({ ...request, journal_after: 3 })]).toEqual([two, one]);
  });

  it('with another environment applies it to the next turn', async () => {
    const runner = await startRunner();
    const request = openRequest({ env: { COLOR: 'red' } });
    await runner.client.open(request);
    await runTurn(runner, 't1', bash('echo $COLOR > color1'));
    await runner.client.open({ ...request, env: { COLOR: 'blue' } });
    const { end_seq } = await runTurn(runner, 't2', bash('cat color1; echo $COLOR'));
    const events = await eventsUpTo(runner.client, end_seq);
    expect(events.findLast(({ event }) => event.type === 'tool_result')?.event).toMatchObject({ text: 'red\nblue\n' });
  });

  it('after a restart resumes the conversation', async () => {
    const folder = makeFolder();
    const request = openRequest();
    const runner = await startRunner({ folder });
    expect((await runner.client.open(request)).resumed).toBe(false);
    await runTurn(runner, 't1', bash('true'));
    await runner.served.stop();
    const again = await startRunner({ folder });
    expect((await again.client.open(request)).resumed).toBe(true);
  });

  it('continues the numbers of the event log', async () => {
    const runner = await startRunner();
    await runner.client.open(openRequest({ journal_after: 41 }));
    const { end_seq } = await runTurn(runner, 't1', bash('true'));
    const events = await eventsUpTo(runner.client, end_seq);
    expect(events[0]?.seq).toBe(42);
  });

  it('does not let the environment override variables that git needs', async () => {
    const runner = await startRunner();
    await runner.client.open(openRequest({ env: { HOME: '/nowhere', GIT_CONFIG_GLOBAL: '/nowhere', OTHER: 'x' } }));
    const { end_seq } = await runTurn(runner, 't1', bash('echo "$HOME $OTHER"; git config user.name'));
    const events = await eventsUpTo(runner.client, end_seq);
    const result = events.find(({ event }) => event.type === 'tool_result')?.event;
    expect(result).toMatchObject({ text: `${runner.paths.home} x\ncaller\n` });
  });
});
