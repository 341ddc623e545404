import { afterEach, describe, expect, it } from '@jest/globals';
import { bash, cleanUp, makeFolder, makeOrigin, openRequest, runTurn } from './fixture.ts';
import { residentBytes, startProcess } from './runner-process.ts';

afterEach(cleanUp);

describe('the bundled runner', () => {
  it('works inside the isolation of the host and stays small', async () => {
    const folder = makeFolder();
    const origin = await makeOrigin(folder);
    const runner = await startProcess({ folder });
    const { isolation } = await runner.client.open(openRequest({ repos: [{ clone_url: origin, branch: 'work' }] }));
    const times: number[] = [];
    for (let turn = 0; turn < 20; turn++) {
      const began = performance.now();
      const command = `echo ${turn} > file && git add -A && git commit -qm "turn ${turn}" && git push -q origin HEAD`;
      const { outcome } = await runTurn(runner, `t${turn}`, bash(command));
      expect(outcome).toMatchObject({ status: 'completed', branches: [{ branch: 'work', pushed: true }] });
      times.push(performance.now() - began);
    }
    console.log(isolation, runner.startMs, residentBytes(runner.child.pid ?? 0)! / 1e6, times);
  }, 120_000);
});
