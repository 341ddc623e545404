// `npm run demo`: one agent from spawn to a pushed branch, with everything real but the model.
//   --keep   leaves the stack running, to explore
//   --real   uses the caller's own key and a real model
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { makeSample, type Sample } from './sample.ts';
import { FOLLOW_UP, TASK } from './script.ts';
import { startModelProcess } from './model-process.ts';
import { check, DemoFailure, heading, murmurCommand, say, showLines, type Murmur } from './terminal.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const PROGRAM = join(ROOT, 'bin', 'murmur.js');
const SLUG = 'fix-total';

interface DemoOptions {
  readonly keep: boolean;
  readonly real: boolean;
}

async function demo(options: DemoOptions): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'murmur-demo-'));
  const home = join(directory, 'home');
  const model = options.real ? undefined : await startModelProcess(home);
  const env = environment(home, model?.url);
  const murmur = murmurCommand(PROGRAM, env);
  let started = false;
  try {
    heading('A project with a failing test, and its origin');
    const sample = await makeSample(directory);
    say(`${sample.checkout}\n${sample.origin}`);
    check(!(await testPasses(sample.checkout)), 'its test fails');

    heading('Murmur comes up: Temporal, the worker, the API server');
    started = true;
    await murmur(['up', '--temporal-port', '0', '--temporal-ui-port', '0', '--api-port', '0']);
    await Promise.race([interrupted(), oneAgent(murmur, env, sample, options).then(() => showResult(murmur, sample))]);
  } finally {
    if (options.keep && started) {
      heading('The stack keeps running');
      say(`export MURMUR_HOME=${home}\nnpx murmur ls\n\nEnd it with: npx murmur down`);
    } else {
      heading('Everything ends');
      if (started) await murmur(['down']);
      await model?.stop();
      await rm(directory, { recursive: true, force: true });
    }
  }
}

/** Rejects on Ctrl-C, so that what was started is ended on the way out. */
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
  if (modelUrl === undefined) return env;
  for (const name of ['CLAUDE_CODE_OAUTH_TOKEN', 'ANTHROPIC_AUTH_TOKEN']) Reflect.deleteProperty(env, name);
  return { ...env, ANTHROPIC_BASE_URL: modelUrl, ANTHROPIC_API_KEY: 'key-of-the-demo' };
}

/** Spawns the agent, shows its session, and steers it while a command runs. */
async function oneAgent(murmur: Murmur, env: NodeJS.ProcessEnv, sample: Sample, options: DemoOptions): Promise<void> {
  heading('An agent gets the task');
  await murmur(['spawn', SLUG, TASK, '--out', 'push', '--purpose', 'Mend the totals of the price list'], {
    cwd: sample.checkout,
  });

  heading('Its session, live');
  const watch = execa(process.execPath, [PROGRAM, 'session', 'watch', SLUG], {
    env,
    extendEnv: false,
    stdin: 'ignore',
    buffer: false,
    reject: false,
  });
  const runsLong = Promise.withResolvers<void>();
  const shown = showLines(watch.stdout, (line) => {
    if (line.includes('benchmark.js') && /Bash/.test(line)) runsLong.resolve();
  });
  try {
    await withinMinutes(options.real ? 10 : 1, runsLong.promise, 'the agent starts the long command');
    await murmur(['queue', 'add', SLUG, FOLLOW_UP]);
    await murmur(['session', 'interrupt', SLUG]);
    await murmur(['wait', SLUG, '--phase', 'idle'], { quiet: true });
  } finally {
    watch.kill('SIGINT');
    await shown;
  }
}

async function showResult(murmur: Murmur, sample: Sample): Promise<void> {
  heading('What came of it');
  const status = JSON.parse(await murmur(['status', SLUG, '--timeline', '--json'], { quiet: true })) as Status;
  const branch = status.branches[0]?.branch ?? '';
  const git = async (...args: string[]): Promise<string> => (await execa('git', args, { cwd: sample.checkout })).stdout;
  await git('fetch', '--quiet', 'origin');
  check((await git('branch', '--remotes')).includes(`origin/${branch}`), `branch ${branch} is on origin`);
  say(await git('diff', 'origin/main', `origin/${branch}`));
  await git('checkout', '--quiet', `origin/${branch}`);
  check(await testPasses(sample.checkout), "the sample's test passes on it");
  const timeline = status.timeline ?? [];
  check(
    timeline.some(({ type }) => type === 'push'),
    'the timeline holds the push',
  );
  check(timeline.filter(({ type }) => type === 'commit').length >= 2, 'the timeline holds the commits');
  check(
    timeline.some(({ type }) => type === 'followUp'),
    'the follow-up was delivered',
  );
  check(status.phase === 'idle', 'the agent is idle, ready for more');
  check(status.cost.total_usd > 0, `it cost $${status.cost.total_usd.toFixed(4)}`);
  await murmur(['status', SLUG]);
  const { temporal } = JSON.parse(await murmur(['up', '--json'], { quiet: true })) as {
    readonly temporal: { readonly namespace: string; readonly ui_url?: string };
  };
  const page = `/namespaces/${temporal.namespace}/workflows/${encodeURIComponent(status.workflow)}`;
  const shown = temporal.ui_url === undefined ? undefined : await fetch(temporal.ui_url + page);
  check(shown?.ok === true, "Temporal's Web UI has a page for it");
  say(`${temporal.ui_url ?? ''}${page}`);
}

interface Status {
  readonly phase: string;
  readonly workflow: string;
  readonly cost: { readonly total_usd: number };
  readonly branches: readonly { readonly branch: string }[];
  readonly timeline?: readonly { readonly type: string }[];
}

async function testPasses(directory: string): Promise<boolean> {
  const { exitCode } = await execa(process.execPath, ['--test'], { cwd: directory, reject: false });
  return exitCode === 0;
}

/** Throws DemoFailure when the promise takes longer. */
async function withinMinutes<T>(minutes: number, promise: Promise<T>, what: string): Promise<T> {
  const limit = new AbortController();
  try {
    return await Promise.race([
      promise,
      delay(minutes * 60_000, undefined, { signal: limit.signal }).then(() => {
        throw new DemoFailure(`${what}: not within ${minutes.toString()} minutes`);
      }),
    ]);
  } finally {
    limit.abort();
  }
}

const { values } = parseArgs({
  options: { keep: { type: 'boolean', default: false }, real: { type: 'boolean', default: false } },
});
try {
  await demo(values);
  process.stdout.write('\nEverything was so.\n');
} catch (error) {
  process.stderr.write(`\n${error instanceof DemoFailure ? `✗ ${error.message}` : String((error as Error).stack)}\n`);
  process.exitCode = 1;
}
