import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { identityOf } from '../../stack/process.ts';
import { hashOf } from '../../drivers/tokens/token.ts';
import { CliHarness } from './harness.ts';

let cli: CliHarness;

beforeAll(async () => {
  cli = await CliHarness.start();
  const body = {
    account: 'jane',
    workspace: 'w',
    token: { source: 'tokens.json', created_at: '2026-01-01T00:00:00Z' },
  };
  cli.answer('auth', { body });
});
afterAll(async () => {
  await cli.close();
});

describe('auth', () => {
  it('shows identity, source and expiry', async () => {
    const { code, stdout } = await cli.run(['auth']);
    expect(code).toBe(0);
    expect(stdout).toBe(
      'account:   jane\nworkspace: w\nsource:    tokens.json\ncreated:   2026-01-01T00:00:00Z\nexpires:   never\n',
    );
  });

  it('does not change the home if the token comes from the environment', async () => {
    await cli.run(['auth']);
    expect(await stat(join(cli.home, 'token')).catch(() => undefined)).toBeUndefined();
  });
});

describe('recreating the token', () => {
  const token = (): string => join(cli.home, 'token');
  // Without MURMUR_API_URL, the home is the caller's, and stack.json has the server's address.
  const mend = () => cli.run(['auth'], { env: { MURMUR_API_URL: '', MURMUR_TOKEN: '' } });

  it('creates a missing token that only the owner can read; the server has only its hash', async () => {
    await writeRunningStack();
    const { code, stderr } = await mend();
    expect(code).toBe(0);
    expect(stderr).toContain('made the token');
    const text = (await readFile(token(), 'utf8')).trim();
    const tokens = await readFile(join(cli.home, 'tokens.json'), 'utf8');
    expect(tokens).toContain(hashOf(text));
    expect(tokens).not.toContain(text);
    expect((await stat(token())).mode & 0o777).toBe(0o600);
    expect((await stat(join(cli.home, 'tokens.json'))).mode & 0o777).toBe(0o600);
    expect(cli.calls.at(-1)?.headers.authorization).toBe(`Bearer ${text}`);
  });

  it('replaces an invalid token and keeps a valid one', async () => {
    await writeFile(token(), 'mur_wrong\n');
    expect((await mend()).stderr).toContain('repaired the token');
    const repaired = await readFile(token(), 'utf8');
    const again = await mend();
    expect(again.stderr).not.toContain('repaired');
    expect(await readFile(token(), 'utf8')).toBe(repaired);
  });

  it('makes a token file private that others can read', async () => {
    await chmod(token(), 0o644);
    await mend();
    expect((await stat(token())).mode & 0o777).toBe(0o600);
  });

  async function writeRunningStack(): Promise<void> {
    const supervisor = await identityOf(process.pid);
    const record = { temporal: { address: 'x' }, server: { url: cli.url }, supervisor, children: {} };
    await writeFile(join(cli.home, 'stack.json'), JSON.stringify(record));
  }
});
