// What is merely large or hostile works, and nothing is lost by it.
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { bash, machineOf, scripted, settled, statusOf } from './fixtures/agent.ts';
import { clientOf } from './fixtures/client.ts';
import { eventLog, expectWholeLog, ofType } from './fixtures/log.ts';
import { isAlive, runnerOf } from './fixtures/processes.ts';
import { spawnBare } from './fixtures/refusals.ts';
import { eventually } from './fixtures/stack.ts';
import { stackForFile } from './fixtures/stack-for-file.ts';
import { PROGRAM } from '../fixtures/program-under-test.ts';

const FAKE_MODEL = 'fake-1';
const FAKE = ['--model', FAKE_MODEL];

const stack = stackForFile();

describe('large and hostile texts', () => {
  it('a prompt of 1 MB reaches the model whole, a tool result of 5 MB is cut in the log only', async () => {
    // As words below the 128 KiB that Linux allows for one argument.
    const words = Array.from({ length: 10 }, (_, word) =>
      Array.from({ length: 10_000 }, (_, index) => `n${String(word)}-${String(index).padStart(7, '0')}`).join(' '),
    );
    const prompt = words.join(' ');
    expect(prompt.length).toBeGreaterThan(1_000_000);
    const steps = scripted('', bash("head -c 5000000 /dev/zero | tr '\\0' x"), { text: 'read it all' });
    await stack.murmur(['spawn', 'large', ...words, steps], { cwd: stack.directory });
    const status = await settled(stack, 'large');
    expect(status).toMatchObject({ phase: 'idle', response: 'read it all' });
    const asked = await stack.model.waitForRequest(({ messages }) =>
      messages.some(({ text }) => text.includes(prompt)),
    );
    expect(asked.step).toBe(0);
    const [result] = ofType(await eventLog(stack, 'large'), 'tool_result');
    expect(result?.text.length).toBeLessThanOrEqual(16_384);
    expect(result?.whole_bytes).toBeGreaterThanOrEqual(5_000_000);
  }, 180_000);

  it('control characters and broken UTF-8 never reach the terminal raw', async () => {
    const noise =
      "printf '\\033[2J\\033]0;title\\007\\233\\302\\2335n \\377\\376\\000 \\342\\200\\256txt.exe\\r over\\n'";
    const hostile = '\u001b[31mred\u001b]8;;http://evil.example\u0007\u009b6n\u202e\u0000';
    const prompt = scripted(`${hostile.replace('\0', '')} Make noise.`, bash(noise), { text: hostile });
    const purpose = '\u001b[2Jpurpose\u0007';
    await stack.murmur(['spawn', 'hostile', prompt, ...FAKE, '--purpose', purpose, '--task', '\u001b[1mtask']);
    await settled(stack, 'hostile');
    const client = await clientOf(stack);
    await client.call('task_update', { slug: 'hostile', task_id: '1', status: 'done' });
    await client.call('session_stop', { slug: 'hostile' });
    const views = [
      ['session', 'watch', 'hostile'],
      ['watch', 'hostile'],
      ['status', 'hostile', '--timeline'],
      ['turns', 'hostile'],
      ['ls', '-a'],
      ['task', 'ls', 'hostile'],
      ['status', hostile.replace('\0', '')],
    ];
    for (const view of views.flatMap((args) => [args, [...args, '--json']])) {
      const bytes = await bytesOf(view);
      // Throws for what is not UTF-8.
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      expect({ view, raw: /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/.exec(text)?.[0] }).toEqual({ view });
    }
    expect((await bytesOf(['session', 'watch', 'hostile'])).toString()).toContain('␛[2J␛]0;title␇');
  }, 180_000);

  /** Everything that the command prints, as it is. */
  async function bytesOf(args: readonly string[]): Promise<Buffer> {
    const options = { env: stack.env, extendEnv: false, reject: false, encoding: 'buffer', stdin: 'ignore' } as const;
    const { stdout, stderr } = await execa(process.execPath, [PROGRAM, ...args], options);
    return Buffer.concat([stdout, stderr]);
  }
});

describe('a corrupt journal tail', () => {
  it('is cut off: the runner starts again and the agent goes on, nothing lost', async () => {
    await spawnBare(stack, 'torn', scripted('First.', bash('echo before'), { text: 'first done' }), {
      model: FAKE_MODEL,
    });
    await settled(stack, 'torn');
    const machine = await machineOf(stack, 'torn');
    const runner = await runnerOf(stack, machine);
    process.kill(runner, 'SIGKILL');
    await eventually('the runner is gone', async () => !(await isAlive(runner)));
    const journal = join(stack.home, 'machines', machine, 'runner', 'journal.jsonl');
    const whole = await readFile(journal, 'utf8');
    await appendFile(
      journal,
      Buffer.from('{"seq":9999,"at":"2026-01-01T00:00:00.000Z","event":{"type":"assi\xff\x00', 'latin1'),
    );
    const description = scripted('Second.', { text: 'second done' });
    await (await clientOf(stack)).call('queue_add', { slug: 'torn', description });
    await settled(stack, 'torn');
    expect(await statusOf(stack, 'torn')).toMatchObject({ response: 'second done', turn: { number: 2 } });
    expect((await readFile(journal, 'utf8')).startsWith(whole)).toBe(true);
    const entries = await expectWholeLog(stack, 'torn');
    expect(ofType(entries, 'turn_complete').map(({ response }) => response)).toEqual(['first done', 'second done']);
  }, 180_000);
});
