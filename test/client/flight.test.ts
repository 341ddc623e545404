// The client's part of a flight: which files are read.
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, test } from '@jest/globals';
import { readFlight, withFlight } from '../../client/flight.ts';

const SOURCE = '---\nworkspace: platform\nmodel: opus\n---\n# A\n## a\nx\n';

let root: string;
let cwd: string;
beforeAll(async () => {
  root = await mkdtemp(join(await realpath(tmpdir()), 'murmur-flights-'));
  cwd = join(root, 'deep', 'inside');
  const flights = join(root, '.murmur', 'flights');
  await mkdir(cwd, { recursive: true });
  await mkdir(join(flights, 'ops'), { recursive: true });
  await mkdir(join(flights, 'folder.md'));
  await writeFile(join(root, 'secret.md'), '# secret');
  await writeFile(join(flights, 'deploy.md'), SOURCE);
  await writeFile(join(flights, 'ops', 'roll.md'), `\uFEFF# B`);
  await writeFile(join(flights, 'bad.md'), '# A\n## a\n> need: b\n\nx\n');
  await writeFile(join(flights, 'bytes.md'), Buffer.from([0x23, 0x20, 0xff, 0xfe]));
  await writeFile(join(flights, 'long.md'), `# A\n${'x'.repeat(140_000)}`);
  await symlink(join(root, 'secret.md'), join(flights, 'out.md'));
  await symlink(root, join(flights, 'up'));
  await symlink('deploy.md', join(flights, 'same.md'));
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

it('is read from the nearest folder upwards, also from a subfolder, and through a link that stays inside', async () => {
  expect((await readFlight(cwd, 'deploy.md')).plan.name).toBe('A');
  expect((await readFlight(cwd, 'ops/roll.md')).plan.name).toBe('B');
  expect((await readFlight(cwd, 'same.md')).source).toBe(SOURCE);
});

it('overrides the configuration, and is overridden by the caller', async () => {
  const configured = { workspace: 'default', model: 'haiku' };
  expect(await withFlight({ flight: 'deploy.md' }, configured, cwd)).toEqual({
    flight: 'deploy.md',
    flight_source: SOURCE,
    workspace: 'platform',
    model: 'opus',
  });
  expect(await withFlight({ flight: 'ops/roll.md', model: 'fable-5' }, configured, cwd)).toMatchObject({
    workspace: 'default',
    model: 'fable-5',
  });
});

test.each([
  ['../flights/deploy.md', 'INVALID_ARGUMENT', 'it leads out of the folder'],
  ['ops/../../../secret.md', 'INVALID_ARGUMENT', 'it leads out of the folder'],
  ['./deploy.md', 'INVALID_ARGUMENT', 'it leads out of the folder'],
  ['/etc/passwd.md', 'INVALID_ARGUMENT', 'it is not relative to the folder'],
  ['~/x.md', 'INVALID_ARGUMENT', 'it is not relative to the folder'],
  ['..\\secret.md', 'INVALID_ARGUMENT', 'it has a control character, a backslash or a colon'],
  ['C:x.md', 'INVALID_ARGUMENT', 'it has a control character, a backslash or a colon'],
  ['a\0.md', 'INVALID_ARGUMENT', 'it has a control character, a backslash or a colon'],
  ['', 'INVALID_ARGUMENT', 'the path is empty'],
  ['deploy', 'INVALID_ARGUMENT', 'a flight is a file that ends in .md'],
  ['out.md', 'INVALID_ARGUMENT', 'it is a link that leads out of the folder'],
  ['up/secret.md', 'INVALID_ARGUMENT', 'it is a link that leads out of the folder'],
  ['folder.md', 'INVALID_ARGUMENT', 'it is not a file'],
  ['bytes.md', 'INVALID_ARGUMENT', 'it is not UTF-8 text'],
  ['long.md', 'INVALID_ARGUMENT', 'the limit is 131072'],
  ['bad.md', 'INVALID_ARGUMENT', 'bad.md:3:3: unknown directive "need" (did you mean needs?)'],
  ['depoly.md', 'NOT_FOUND', 'no flight "depoly.md"'],
])('%j is rejected', async (path, code, message) => {
  await expect(readFlight(cwd, path)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
});

it('a misspelt name gets the nearest file as hint', async () => {
  await expect(readFlight(cwd, 'depoly.md')).rejects.toMatchObject({ hint: 'did you mean deploy.md?' });
});
