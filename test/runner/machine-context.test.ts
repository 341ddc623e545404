// The end of a machine's state: what its processes use outlives them.
import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { Journal } from '../../runner/journal/journal.ts';
import { MachineContext } from '../../runner/machine-context.ts';
import { machinePaths } from '../../runner/machine-paths.ts';
import { makeRunFolder } from '../../runner/run-folder.ts';
import { callerEnv, cleanUp, groupContainment, makeFolder } from './fixture.ts';

afterEach(cleanUp);

/** Whether another process could listen on the port. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  const result = await Promise.race([once(server, 'listening'), once(server, 'error')]).catch(() => undefined);
  if (!server.listening) return false;
  server.close();
  return result !== undefined;
}

describe('the ports to which programs of a machine send its token and its key for git', () => {
  it('go to no other process before the last of these programs has ended', async () => {
    const folder = makeFolder();
    const paths = machinePaths(path.join(folder, 'runner'));
    mkdirSync(paths.runner);
    makeRunFolder(paths.run);
    const machine = new MachineContext({
      ...{ machine: 'murmur-00000000', paths, containment: groupContainment(), journal: new Journal(paths.journal) },
      ...{ callerEnv: callerEnv(folder), node: process.execPath },
    });
    await machine.listen();
    const api = await machine.relay.relayTo({ host: '127.0.0.1', port: 9 });
    await machine.allowRemotes(['https://forge.example/o/r']);
    const config = readFileSync(path.join(paths.run, 'bin', 'gitconfig'), 'utf8');
    const git = Number(/127\.0\.0\.1:(\d+)/.exec(config)?.[1]);
    const free: boolean[] = [];
    await machine.close(async () => {
      for (const port of [api, git]) free.push(await isFree(port));
    });
    expect(free).toEqual([false, false]);
    expect([await isFree(api), await isFree(git)]).toEqual([true, true]);
    machine.journal.close();
  });
});
