// What all demos use: a project with its origin, a separate stack, and the scripted model. They end with the demo.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { AGENT_FILE, AGENT_ID } from '../contract/wire/agent-file.ts';
import { startModelProcess, type Scenario } from './model-process.ts';
import { makeSample, type Sample } from './sample.ts';
import { check, DemoFailure, heading, murmurCommand, say, showLines, type Murmur } from './terminal.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const PROGRAM = join(ROOT, 'bin', 'murmur.js');

export interface StageOptions {
  /** Leave the stack running, to explore. */
  readonly keep: boolean;
  /** The caller's own key and a real model. */
  readonly real: boolean;
}

export interface Stage {
  readonly options: StageOptions;
  readonly home: string;
  readonly sample: Sample;
  readonly murmur: Murmur;
  /**
   * Shows an agent's session live until `play` resolves. `play` receives a function that resolves when the session
   * shows an action of the agent that contains all words.
   */
  watch(slug: string, play: (line: (...words: readonly string[]) => Promise<void>) => Promise<void>): Promise<void>;
}

/** Starts the stack, runs `play` and stops the stack. Rejects when a step fails, and on Ctrl-C. */
export async function withStage(
  scenario: Scenario,
  options: StageOptions,
  play: (stage: Stage) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'murmur-demo-'));
  const home = join(directory, 'home');
  const model = options.real ? undefined : await startModelProcess(home, scenario);
  const env = environment(home, model?.url);
  const murmur = murmurCommand(PROGRAM, env);
  let started = false;
  try {
    heading('Create a project with a failing test, and its origin');
    const sample = await makeSample(directory);
    say(`${sample.checkout}\n${sample.origin}`);
    check(!(await testPasses(sample.checkout)), 'its test fails');

    heading('Start Murmur: Temporal, the worker, the API server');
    started = true;
    await murmur(['up', '--temporal-port', '0', '--temporal-ui-port', '0', '--api-port', '0']);
    const stage: Stage = { options, home, sample, murmur, watch: (slug, part) => watchSession(env, slug, part) };
    await Promise.race([interrupted(), play(stage)]);
  } finally {
    if (options.keep && started) {
      heading('The stack keeps running');
      say(`export MURMUR_HOME=${home}\nnpx murmur ls\n\nStop it with: npx murmur down`);
    } else {
      heading('Stop the stack');
      if (started) await murmur(['down']);
      await model?.stop();
      await rm(directory, { recursive: true, force: true });
    }
  }
}

/** Whether the project's tests pass in this checkout. */
export async function testPasses(directory: string): Promise<boolean> {
  const { exitCode } = await execa(process.execPath, ['--test'], { cwd: directory, reject: false });
  return exitCode === 0;
}

/** Rejects on Ctrl-C, so that the stack is stopped before the demo exits. */
function interrupted(): Promise<never> {
  return new Promise((_, reject) => {
    process.once('SIGINT', () => {
      reject(new DemoFailure('interrupted'));
    });
  });
}

function environment(home: string, modelUrl: string | undefined): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    MURMUR_HOME: home,
    PATH: [join(ROOT, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter),
  };
  // An agent can run the demo: its own connection must not reach the demo's stack.
  for (const name of ['MURMUR_API_URL', 'MURMUR_TOKEN', AGENT_ID, AGENT_FILE]) Reflect.deleteProperty(env, name);
  if (modelUrl === undefined) return env;
  for (const name of ['CLAUDE_CODE_OAUTH_TOKEN', 'ANTHROPIC_AUTH_TOKEN']) Reflect.deleteProperty(env, name);
  return { ...env, ANTHROPIC_BASE_URL: modelUrl, ANTHROPIC_API_KEY: 'key-of-the-demo' };
}

async function watchSession(env: NodeJS.ProcessEnv, slug: string, play: Parameters<Stage['watch']>[1]): Promise<void> {
  const watch = execa(process.execPath, [PROGRAM, 'session', 'watch', slug], {
    env,
    extendEnv: false,
    stdin: 'ignore',
    buffer: false,
    reject: false,
  });
  const seen: string[] = [];
  const waiting = new Set<() => void>();
  const shown = showLines(watch.stdout, (line) => {
    seen.push(line);
    for (const look of waiting) look();
  });
  const line = (...words: readonly string[]): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!seen.some((each) => words.every((word) => each.includes(word)))) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  try {
    await play(line);
  } finally {
    watch.kill('SIGINT');
    await shown;
  }
}
