// Sessions of a program that chooses its own ids: which conversation a caller's id means.
import { afterEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TurnReply } from '../../contract/wire/runner.ts';
import type { Manifest } from '../../runner/snapshot/manifest.ts';
import { bash, cleanUp, makeFolder, openRequest, runTurn, script, startRunner } from './fixture.ts';

afterEach(cleanUp);

describe('the session of a machine', () => {
  it('reports the id that its program chose, and is the same session by either id', async () => {
    const runner = await startRunner();
    const wished = randomUUID();
    const { session_id: told = '' } = await runner.client.open(openRequest({ session_id: wished }));
    expect(told).not.toBe(wished);
    await runTurn(runner, 't1', bash('true'));
    for (const session_id of [told, wished]) {
      expect(await runner.client.open(openRequest({ session_id }))).toMatchObject({ session_id: told, resumed: false });
    }
    // An answer of the second turn: the program has not been replaced.
    expect((await runTurn(runner, 't2', 'hello')).outcome.response).toMatch(/^ACK [3-9]/);
  });

  it.each(['requested', 'reported'] as const)('continues after a restart, requested by the %s id', async (which) => {
    const folder = makeFolder();
    const requested = randomUUID();
    const runner = await startRunner({ folder });
    // Opened but never prompted: after the restart, the program has a conversation with another id.
    const first = await runner.client.open(openRequest({ session_id: requested }));
    await runner.served.stop();
    const second = await startRunner({ folder });
    const { session_id: reported = '' } = await second.client.open(openRequest({ session_id: first.session_id ?? '' }));
    await runTurn(second, 't1', bash('true'));
    await second.served.stop();
    const third = await startRunner({ folder });
    const session_id = which === 'requested' ? requested : reported;
    expect(await third.client.open(openRequest({ session_id }))).toMatchObject({ session_id: reported, resumed: true });
  });

  it('continues from a snapshot on another machine by the id in the snapshot', async () => {
    const folder = makeFolder();
    const wished = randomUUID();
    const runner = await startRunner({ folder });
    const { session_id: told } = await runner.client.open(openRequest({ session_id: wished }));
    await runTurn(runner, 't1', bash('true'));
    const { directory } = await runner.client.snapshot();
    const manifest = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')) as Manifest;
    expect(manifest.session_id).toBe(told);
    const kept = join(folder, 'kept');
    cpSync(directory, kept, { recursive: true });
    await runner.served.stop();
    for (const each of ['runner', 'home', 'work', 'run']) rmSync(join(folder, each), { recursive: true });
    const again = await startRunner({ folder });
    const reply = await again.client.open(openRequest({ session_id: wished, restore: kept }));
    expect(reply).toMatchObject({ session_id: told, resumed: true });
  });
});

it('the reply of a turn comes before the batch of events with its end, for readers that name the turn', async () => {
  const runner = await startRunner();
  await runner.client.open(openRequest());
  await runTurn(runner, 't1', script({ text: 'one' }));
  const ended = await runTurn(runner, 't2', script({ text: 'two' }));
  const told: (TurnReply | 'end')[] = [];
  const stop = new AbortController();
  const turn = { turn_id: 't2', onEnd: (reply: TurnReply) => told.push(reply) };
  for await (const batch of runner.client.events(0, stop.signal, turn)) {
    if (!batch.some(({ event }) => event.type === 'turn_complete' && event.turn_id === 't2')) continue;
    told.push('end');
    stop.abort();
  }
  expect(told.at(-1)).toBe('end');
  expect(told[0]).toEqual(ended);
  expect(ended.outcome.response).toBe('two');
});
