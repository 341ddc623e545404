import { afterEach, expect, it } from '@jest/globals';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PACKAGE_ROOT } from '../../config/package.ts';
import type { RunnerConfig } from '../../contract/wire/runner.ts';
import { detectIsolation } from '../../runner/isolation/detect.ts';
import { machinePaths } from '../../runner/machine-paths.ts';
import { readState } from '../../runner/state-file.ts';
import { bash, cleanUp, makeFolder, openRequest, runTurn } from './fixture.ts';
import { startProcess } from './runner-process.ts';

afterEach(cleanUp);

it('a runner with wishes tries which isolation works, uses it for its agent and reports it', async () => {
  const folder = makeFolder();
  const paths = machinePaths(path.join(folder, 'machines', 'murmur-00000001', 'runner'));
  const { home, work, run, runner } = paths;
  mkdirSync(runner, { recursive: true, mode: 0o700 });
  const config: RunnerConfig = {
    machine: 'murmur-00000001',
    isolation: {
      choice: 'auto',
      machine: 'murmur-request-0001',
      paths: { home, work, run, isolation: path.join(path.dirname(runner), 'isolation') },
      hide: [folder],
      keep: [process.execPath, PACKAGE_ROOT],
    },
  };
  writeFileSync(paths.config, JSON.stringify(config), { mode: 0o600 });
  const started = await startProcess({ folder });
  const { kind, description, limitsInForce } = await detectIsolation('auto');
  expect(await started.client.open(openRequest())).toMatchObject({ isolation: description });
  expect(readState(paths.isolation)).toEqual({ kind, ...(limitsInForce === undefined ? {} : { limitsInForce }) });
  const address = path.join(runner, 'address.json');
  await runTurn(started, 't1', bash(`cat ${address} >/dev/null 2>&1 && echo read > seen || echo hidden > seen`));
  expect(readFileSync(path.join(work, 'seen'), 'utf8').trim()).toBe(kind === 'namespace' ? 'hidden' : 'read');
});
