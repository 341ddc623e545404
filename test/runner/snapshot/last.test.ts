// What a stopping runner writes: its last events, and a snapshot if there is new content.
import { afterEach, describe, expect, it } from '@jest/globals';
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import type { FinalSnapshotRequest, StopReport } from '../../../contract/wire/runner.ts';
import { readState } from '../../../runner/state-file.ts';
import { bash, cleanUp, makeFolder, makeOrigin, openRequest, runTurn, script, startRunner } from '../fixture.ts';
import type { TestRunner } from '../fixture.ts';

afterEach(cleanUp);

/** Long enough for any capture here. */
const CAPTURE_MS = 20_000;

async function lastOf(runner: TestRunner, request: Partial<FinalSnapshotRequest> = {}): Promise<StopReport> {
  await runner.client.stop({ status: 'interrupted', last: { after: 0, snapshot_ms: CAPTURE_MS, ...request } });
  await runner.served.stopped;
  return readState<StopReport>(runner.paths.last) ?? { events: [] };
}

/** A runner that has done one turn and captured it. */
async function worked(repos: readonly { readonly clone_url: string; readonly branch: string }[] = []) {
  const runner = await startRunner();
  await runner.client.open(openRequest({ repos }));
  await runTurn(runner, 't1', bash('echo done'));
  return { runner, stored_seq: (await runner.client.snapshot()).seq };
}

describe('what a stopping runner writes', () => {
  it('includes the events above the stored ones, up to the end of the session', async () => {
    const { runner } = await worked();
    const { events } = await lastOf(runner, { after: 3 });
    expect(events[0]?.seq).toBe(4);
    expect(events.map(({ event }) => event.type).slice(-2)).toEqual(['turn_complete', 'session_end']);
  });

  it('is nothing for a stop without a request, and is removed at the next start', async () => {
    const folder = makeFolder();
    const runner = await startRunner({ folder });
    await runner.client.open(openRequest());
    await lastOf(runner);
    expect(readState(runner.paths.last)).toBeDefined();
    const again = await startRunner({ folder });
    expect(readState(again.paths.last)).toBeUndefined();
    await again.client.stop({ status: 'interrupted' });
    expect(readState(again.paths.last)).toBeUndefined();
  });

  it('includes a snapshot of a turn that the stop ended', async () => {
    const runner = await startRunner();
    await runner.client.open(openRequest());
    await runner.client.turn({ turn_id: 't1', number: 1, prompt: script({ hang: true }), inputs: [] });
    const { events, snapshot } = await lastOf(runner);
    expect(snapshot?.directory).toContain('t1');
    expect(events.find(({ event }) => event.type === 'turn_complete')?.event).toMatchObject({ status: 'interrupted' });
  });

  it('includes no snapshot when the conversation is the same as in the stored one', async () => {
    const { runner, stored_seq } = await worked();
    expect(await lastOf(runner, { stored_seq })).toEqual({ events: expect.anything() });
  });

  it.each([
    ['another one is stored', async (_runner: TestRunner, seq: number) => ({ stored_seq: seq - 1 })],
    ['none is kept', async () => ({})],
    [
      'the conversation has continued',
      async (runner: TestRunner, seq: number) => {
        const { files } = await runner.client.snapshot();
        const transcript = files.find((file) => file.startsWith('home/'))?.slice('home/'.length) ?? '';
        appendFileSync(path.join(runner.paths.home, transcript), '{}\n');
        return { stored_seq: seq };
      },
    ],
  ])('includes a snapshot when %s', async (_, change) => {
    const { runner } = await worked();
    const { seq } = await runner.client.snapshot();
    const { snapshot } = await lastOf(runner, await change(runner, seq));
    expect(snapshot?.files).toContain('manifest.json');
  });

  it('always includes a snapshot with checkouts, which may have changed', async () => {
    const { runner, stored_seq } = await worked([{ clone_url: await makeOrigin(makeFolder()), branch: 'work' }]);
    expect((await lastOf(runner, { stored_seq })).snapshot).toBeDefined();
  });

  it('includes the reason for a missing snapshot, and the events', async () => {
    const { runner } = await worked();
    const { events, problem, snapshot } = await lastOf(runner, { snapshot_ms: 0 });
    expect({ problem, snapshot }).toEqual({ problem: 'not captured within 0 ms', snapshot: undefined });
    expect(events.at(-1)?.event.type).toBe('session_end');
  });
});
