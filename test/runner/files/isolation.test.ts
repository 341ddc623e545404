// Files are read with the rights of the agent: its paths and links give access to no other files.
import { afterEach, expect, it } from '@jest/globals';
import { chmodSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { bash, cleanUp, isRunning, openRequest, runTurn, until } from '../fixture.ts';
import { startProcess } from '../runner-process.ts';

afterEach(cleanUp);

it("a file that only the host's user may read is rejected, by its path and by a link", async () => {
  const runner = await startProcess();
  await runner.client.open(openRequest());
  const read = (name: string): Promise<string> => text(runner.client.file({ path: name }, AbortSignal.timeout(20_000)));
  await runTurn(runner, 't1', bash('umask 077; echo own > own; ln -s own link; echo > closed; chmod 0 closed'));
  expect([await read('own'), await read('link')]).toEqual(['own\n', 'own\n']);
  const { config, work } = runner.paths;
  symlinkSync(config, path.join(work, 'to-config'));
  for (const name of [config, 'to-config', '/proc/1/root' + config]) {
    await expect(read(name)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  }
  const { user } = runner.isolation;
  const refused = { code: 'INVALID_ARGUMENT', message: expect.stringContaining('permission denied') };
  await expect(read('closed')).rejects.toMatchObject(refused);
  // For a root caller, the agent has its own user, and files in its folders may belong to others.
  if (user === undefined) return;
  writeFileSync(path.join(work, 'ours'), 'secret');
  chmodSync(path.join(work, 'ours'), 0o600);
  symlinkSync('ours', path.join(work, 'to-ours'));
  symlinkSync('/etc/shadow', path.join(work, 'to-shadow'));
  for (const name of ['ours', 'to-ours', 'to-shadow', '/etc/shadow']) {
    await expect(read(name)).rejects.toMatchObject(refused);
  }
}, 60_000);

it.each(['auto', 'tracking'] as const)(
  'a reader that disconnects leaves no process: %s isolation',
  async (kind) => {
    const runner = await startProcess({ kind });
    await runner.client.open(openRequest());
    const file = path.join(runner.paths.work, 'large');
    writeFileSync(file, '');
    // A sparse file that is larger than all buffers on the way.
    truncateSync(file, 1024 ** 3);
    const pieces = runner.client.file({ path: file }, AbortSignal.timeout(20_000))[Symbol.asyncIterator]();
    await pieces.next();
    expect(processesAbout(file)).not.toEqual([]);
    await pieces.return?.();
    await until(() => processesAbout(file).length === 0);
  },
  60_000,
);

/** Processes of this host with the path in their command line: the reading program and its parents. */
function processesAbout(file: string): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').includes(file) && isRunning(pid);
    } catch {
      return false;
    }
  });
}
