// The demo of one agent, from spawn to a pushed branch.
import { execa } from 'execa';
import { FOLLOW_UP, TASK } from './script.ts';
import { testPasses, type Stage } from './stage.ts';
import { check, heading, say, withinMinutes } from './terminal.ts';

const SLUG = 'fix-total';

/** Runs the demo. Throws DemoFailure if a step does not have the expected effect. */
export async function oneAgent(stage: Stage): Promise<void> {
  await work(stage);
  await showResult(stage);
}

/** Spawns the agent, shows its session, and steers it while a command runs. */
async function work({ murmur, options, sample, watch }: Stage): Promise<void> {
  heading('Spawn an agent with the task');
  await murmur(['spawn', SLUG, TASK, '--out', 'push', '--purpose', 'Fix the totals of the price list'], {
    cwd: sample.checkout,
  });

  heading('Its session, live');
  await watch(SLUG, async (line) => {
    await withinMinutes(options.real ? 10 : 1, line('Bash', 'benchmark.js'), 'the agent starts the long command');
    await murmur(['queue', 'add', SLUG, FOLLOW_UP]);
    await murmur(['session', 'interrupt', SLUG]);
    await murmur(['wait', SLUG, '--phase', 'idle'], { quiet: true });
  });
}

async function showResult({ murmur, sample }: Stage): Promise<void> {
  heading('The result');
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
    'the timeline shows the push',
  );
  check(timeline.filter(({ type }) => type === 'commit').length >= 2, 'the timeline shows the commits');
  check(
    timeline.some(({ type }) => type === 'followUp'),
    'the follow-up was delivered',
  );
  check(status.phase === 'idle', 'the agent is idle and accepts follow-ups');
  check(status.cost.total_usd > 0, `the agent cost $${status.cost.total_usd.toFixed(4)}`);
  await murmur(['status', SLUG]);
  const described = await murmur(['temporal', 'workflow', 'describe', '--workflow-id', status.workflow], {
    quiet: true,
  });
  check(described.includes(status.workflow), '`murmur temporal` shows its workflow');
}

interface Status {
  readonly phase: string;
  readonly workflow: string;
  readonly cost: { readonly total_usd: number };
  readonly branches: readonly { readonly branch: string }[];
  readonly timeline?: readonly { readonly type: string }[];
}
