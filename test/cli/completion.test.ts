import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CliHarness } from './harness.ts';

let cli: CliHarness;
const scripts: Record<string, string> = {};

beforeAll(async () => {
  cli = await CliHarness.start();
  for (const shell of ['bash', 'zsh', 'fish']) {
    scripts[shell] = (await cli.run(['completion', shell])).stdout;
  }
});
afterAll(async () => {
  await cli.close();
});

/** The completions that bash offers for the last word; `murmur ls -q` returns two slugs. */
async function offered(...words: string[]): Promise<readonly string[]> {
  const list = words.map((word) => `'${word}'`).join(' ');
  const script = `murmur() { echo fix-auth; echo docs-pass; }
${scripts['bash'] ?? ''}
COMP_WORDS=(${list}); COMP_CWORD=${(words.length - 1).toString()}; _murmur; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await promisify(execFile)('bash', ['-c', script]);
  return stdout.trim().split('\n');
}

describe('completion for bash', () => {
  it.each([
    [['murmur', 'sp'], ['spawn']],
    [
      ['murmur', 'queue', ''],
      ['add', 'clear', 'strategy'],
    ],
    [['murmur', 'queue', 'add', '--ta'], ['--task']],
    [['murmur', 'status', 'fi'], ['fix-auth']],
    [
      ['murmur', 'session', 'watch', ''],
      ['fix-auth', 'docs-pass'],
    ],
    [['murmur', 'spawn', 'x', '--on-idle', 'k'], ['keep-alive']],
    [['murmur', 'completion', 'z'], ['zsh']],
    [['murmur', 'spawn', ''], ['']],
  ])('offers for %j', async (words, expected) => {
    expect(await offered(...words)).toEqual(expected);
  });
});

describe('completion for other shells', () => {
  it('has every command and its flags', () => {
    for (const shell of ['zsh', 'fish']) {
      for (const word of ['spawn', 'interrupt', 'strategy', 'task', 'append-system-prompt', 'keep-alive']) {
        if (shell === 'zsh' && word === 'keep-alive') continue; // zsh completes flags, not their values
        expect(scripts[shell]).toContain(word);
      }
    }
  });

  it('is refused for an unknown shell, with a suggestion', async () => {
    const { code, stderr } = await cli.run(['completion', 'zhs']);
    expect(code).toBe(2);
    expect(stderr).toContain('did you mean zsh?');
  });
});
