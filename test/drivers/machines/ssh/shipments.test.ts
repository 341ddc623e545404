// Files of earlier builds on a host.
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeOldShipments } from '../../../../drivers/shipment/old-shipments.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder.path, 'host'));
});
afterEach(async () => {
  await folder[Symbol.asyncDispose]();
});

const digest = (digit: string): string => digit.repeat(16);
const at = (...names: string[]): string => join(folder.path, ...names);

/** A copy that was last used two hours ago. */
async function old(name: string): Promise<void> {
  await mkdir(at('host', name, 'bin'), { recursive: true });
  await writeFile(at('host', name, 'bin', 'murmur.js'), 'setInterval(() => undefined, 1_000)');
  const then = new Date(Date.now() - 2 * 60 * 60_000);
  await utimes(at('host', name), then, then);
}

const left = async (): Promise<readonly string[]> => {
  await removeOldShipments({ folder: at('host'), own: digest('a'), machines: at('machines') });
  return (await readdir(at('host'))).toSorted();
};

it('those that nothing uses are removed, with what attempts have left; other files stay', async () => {
  for (const name of [digest('a'), digest('b'), `${digest('c')}.${digest('d')}`]) await old(name);
  await old(`runner-${digest('e')}.cjs`);
  await old('something-else');
  await mkdir(at('host', digest('f')));
  await writeFile(at('host', 'ports-1.json'), '{}');
  expect(await left()).toEqual([digest('a'), digest('f'), 'ports-1.json', 'something-else']);
});

it('those stay that a machine starts murmur from, until it starts another one', async () => {
  await old(digest('b'));
  await mkdir(at('machines', 'murmur-801', 'bin'), { recursive: true });
  const program = at('machines', 'murmur-801', 'bin', 'murmur');
  await writeFile(program, `#!/bin/sh\nexec 'node' '${at('host', digest('b'), 'bin', 'murmur.js')}' "$@"\n`);
  expect(await left()).toEqual([digest('b')]);
  await writeFile(program, `#!/bin/sh\nexec 'node' '${at('host', digest('a'), 'bin', 'murmur.js')}' "$@"\n`);
  expect(await left()).toEqual([]);
});

it('those stay that a process runs from, until it has ended', async () => {
  await old(digest('b'));
  const child = spawn(process.execPath, [at('host', digest('b'), 'bin', 'murmur.js')], { stdio: 'ignore' });
  await once(child, 'spawn');
  try {
    expect(await left()).toEqual([digest('b')]);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  expect(await left()).toEqual([]);
});
