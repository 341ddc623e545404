// The owner's token in a home that cannot be written.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { homePaths } from '../../config/home.ts';
import { ensureToken } from '../../stack/token.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';

it('is refused at once where the home is a file', async () => {
  await using folder = await temporaryFolder();
  const home = homePaths(join(folder.path, 'home'));
  await writeFile(home.root, '');
  await expect(ensureToken(home, 'jane')).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining(`MURMUR_HOME ${home.root} cannot be written: ENOTDIR`),
  });
});
