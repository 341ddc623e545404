import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ERRORS, type ErrorCode } from '../../contract/wire/errors.ts';
import { CliHarness } from './harness.ts';

let cli: CliHarness;

beforeAll(async () => {
  cli = await CliHarness.start();
});
afterAll(async () => {
  await cli.close();
});

// The client retries UNAVAILABLE, so it has its own test.
const CODES = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => code !== 'UNAVAILABLE');

describe('an error of the server', () => {
  it.each(CODES)('%s ends with its exit status, the message and the hint', async (code) => {
    cli.answer('status', { error: { code, message: 'what is wrong', hint: 'what to do' } });
    const { code: exit, stderr, stdout } = await cli.run(['status', 'a']);
    expect(exit).toBe(ERRORS[code].exit);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^murmur: what is wrong\nhint: what to do\n/);
    expect(stderr).not.toContain('    at ');
  });

  it('is a JSON object on stdout with --json, with the same exit status', async () => {
    const error = { code: 'NOT_FOUND' as const, message: 'm', hint: 'h', details: { path: '/w/d/u/j/a' } };
    cli.answer('status', { error });
    const { code, stderr, stdout } = await cli.run(['status', 'a', '--json']);
    expect(code).toBe(4);
    expect(JSON.parse(stdout)).toEqual({ error });
    expect(stderr).toBe('');
  });

  it('has a stack trace with --debug only', async () => {
    cli.answer('status', { error: { code: 'NOT_FOUND', message: 'm' } });
    expect((await cli.run(['status', 'a', '--debug'])).stderr).toContain('    at ');
  });
});

describe('without a server', () => {
  const none = { MURMUR_API_URL: '', MURMUR_TOKEN: '' };

  it('reports at once that nothing is running, and suggests murmur up', async () => {
    const { code, stderr } = await cli.run(['ls'], { env: none });
    expect(code).toBe(ERRORS.UNAVAILABLE.exit);
    expect(stderr).toBe('murmur: no Murmur is running here\nhint: run `murmur up`\n');
  });

  it('version still prints the version of the client', async () => {
    const { code, stdout } = await cli.run(['version'], { env: none });
    expect(code).toBe(0);
    expect(stdout).toBe('Client: 9.8.7 (checkout)\n');
  });

  it('up names a home that is not writable', async () => {
    const home = join(cli.home, 'file', 'home');
    await writeFile(join(cli.home, 'file'), '');
    const { code, stderr } = await cli.run(['up'], { env: { MURMUR_HOME: home } });
    expect(code).toBe(ERRORS.FAILED_PRECONDITION.exit);
    expect(stderr).toContain(`MURMUR_HOME ${home} cannot be written`);
    expect(stderr).toContain('hint: make it writable, or set MURMUR_HOME');
  });

  it('down reports that nothing was running', async () => {
    const { code, stdout } = await cli.run(['down']);
    expect(code).toBe(0);
    expect(stdout).toBe('nothing was running\n');
  });

  it('names an invalid setting', async () => {
    const { code, stderr } = await cli.run(['ls'], { env: { MURMUR_API_URL: 'localhost' } });
    expect(code).toBe(2);
    expect(stderr).toContain('MURMUR_API_URL is "localhost"');
  });
});
