import { afterEach, describe, expect, it } from '@jest/globals';
import {
  cleanUp,
  bash,
  eventsUpTo,
  git,
  makeFolder,
  makeOrigin,
  openRequest,
  runTurn,
  startRunner,
} from './fixture.ts';

afterEach(cleanUp);

describe('a turn', () => {
  it("reports files, commits, pushes and branches of the agent's work", async () => {
    const folder = makeFolder();
    const origin = await makeOrigin(folder);
    const runner = await startRunner({ folder });
    const { cwd } = await runner.client.open(openRequest({ repos: [{ clone_url: origin, branch: 'murmur/fix' }] }));
    const command = 'echo fixed > fix.txt && git add -A && git commit -qm "fix it" && git push -q origin HEAD';
    const { outcome, end_seq } = await runTurn(runner, 't1', bash(command));
    expect(cwd).toBe(`${runner.paths.work}/project`);
    expect(outcome).toMatchObject({
      turn_id: 't1',
      status: 'completed',
      response: 'done',
      files_modified: ['fix.txt'],
      commits: [{ repo: origin, branch: 'murmur/fix', subject: 'fix it' }],
      pushes: [{ repo: origin, branch: 'murmur/fix', subject: 'fix it' }],
      branches: [{ repo: origin, branch: 'murmur/fix', pushed: true, dirty_files: 0 }],
    });
    expect(await git(origin, 'log', '-1', '--format=%s', 'murmur/fix')).toBe('fix it');
    const events = await eventsUpTo(runner.client, end_seq);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1));
    expect(events[0]?.event.type).toBe('turn_start');
    expect(events.at(-1)?.event).toMatchObject({ type: 'turn_complete', status: 'completed' });
  }, 60_000);

  it('reports in the log which secrets were dropped', async () => {
    const runner = await startRunner();
    await runner.client.open(openRequest({ dropped_secrets: ['LOCPATH'] }));
    const { end_seq } = await runTurn(runner, 't1', bash('true'));
    const [first] = await eventsUpTo(runner.client, end_seq);
    expect(first?.event).toMatchObject({ type: 'error', message: expect.stringContaining('"LOCPATH"') });
  }, 60_000);
});
