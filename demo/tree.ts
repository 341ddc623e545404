// The demo of a tree: a lead builds a team, redirects a stuck child and merges the branches; a second tree is killed.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { testPasses, type Stage } from './stage.ts';
import { check, heading, say, withinMinutes } from './terminal.ts';
import { ADVICE, GUARD_TASK, LEAD_TASK, MERGED, NOT_DONE } from './tree-script.ts';

const LEAD = 'lead';
const GUARD = 'guard';

/** A tree of five real agents takes half a minute on two cores. */
const WORK_MINUTES = 2;
const LOOK_AGAIN_MS = 500;

/** Runs both trees. Throws DemoFailure if a step does not have the expected effect. */
export async function tree(stage: Stage): Promise<void> {
  await work(stage);
  await showTree(stage);
  await showBranches(stage);
  await killTree(stage);
}

async function work({ murmur, sample, watch }: Stage): Promise<void> {
  heading('Spawn a lead with a task for a team');
  await murmur(['spawn', LEAD, LEAD_TASK], { cwd: sample.checkout });
  heading('Its session, live');
  await watch(LEAD, (line) => withinMinutes(WORK_MINUTES, line(MERGED), 'the lead merges'));
}

interface Status {
  readonly phase: string;
  readonly response?: string;
  readonly cost: { readonly total_usd: number; readonly own_usd: number; readonly children_usd: number };
  readonly children?: readonly { readonly slug: string; readonly phase: string }[];
  readonly timeline?: readonly { readonly type: string; readonly slug?: string; readonly text?: string }[];
}

interface Turn {
  readonly inputs: readonly { readonly text: string; readonly from: string }[];
  readonly response?: string;
}

async function showTree({ murmur }: Stage): Promise<void> {
  heading('The result');
  const asked = ['status', LEAD, '--children', '--timeline', '--json'];
  const { children = [], cost, timeline = [] } = JSON.parse(await murmur(asked, { quiet: true })) as Status;
  const slugs = children.map(({ slug }) => slug).sort();
  check(slugs.join() === 'docs,format,totals', 'the lead has spawned three children');
  for (const slug of slugs) {
    const heard = timeline.some((event) => event.type === 'child' && event.slug === slug);
    check(heard, `its timeline shows ${slug}`);
  }
  const below = JSON.parse(await murmur(['status', `${LEAD}/docs`, '--children', '--json'], { quiet: true })) as Status;
  check(below.children?.[0]?.slug === 'examples', 'docs has spawned a child');
  check(cost.children_usd > 0 && cost.total_usd > cost.own_usd, "the lead's cost includes its children's");
  const [first, second] = JSON.parse(await murmur(['turns', `${LEAD}/format`, '--json'], { quiet: true })) as Turn[];
  check(first?.response?.startsWith(NOT_DONE) === true, 'format failed at first', JSON.stringify(first));
  const hint = second?.inputs.find(({ text }) => text.includes(ADVICE));
  check(hint?.from.endsWith(`/${LEAD}`) === true, 'the lead has redirected it', JSON.stringify(second));
  await murmur(['ls']);
  await murmur(['status', LEAD, '--children']);
  await showReport(timeline);
}

async function showReport(timeline: NonNullable<Status['timeline']>): Promise<void> {
  const uploaded = timeline.find(({ type }) => type === 'upload') as { readonly url?: string } | undefined;
  check(uploaded?.url !== undefined, 'the timeline shows the upload');
  const answer = await fetch(uploaded?.url ?? '');
  check(answer.ok, `the report can be read at its URL`);
  say(await answer.text());
}

async function showBranches({ sample }: Stage): Promise<void> {
  const git = async (...args: string[]): Promise<string> => (await execa('git', args, { cwd: sample.checkout })).stdout;
  await git('fetch', '--quiet', 'origin');
  const branches = (await git('branch', '--remotes', '--format=%(refname:short)')).split('\n');
  const own = branches.find((branch) => branch.endsWith(`/${LEAD}`)) ?? '';
  for (const suffix of ['', '_totals', '_format', '_docs', '_docs_examples']) {
    check(branches.includes(`${own}${suffix}`), `${own}${suffix} is on origin`);
  }
  say(await git('log', '--graph', '--oneline', `origin/main..${own}`));
  await git('checkout', '--quiet', own);
  check(await testPasses(sample.checkout), "the project's tests pass on the merged branch");
  check(
    (await git('ls-files', 'format.test.js', 'USAGE.md')).split('\n').length === 2,
    'the branch has the work of all three',
  );
  await git('checkout', '--quiet', 'main');
}

interface Row {
  readonly path: string;
  readonly slug: string;
  readonly phase: string;
  readonly progress?: string;
}

async function killTree({ home, murmur, sample }: Stage): Promise<void> {
  heading('Spawn a second tree and kill it');
  await murmur(['spawn', GUARD, GUARD_TASK], { cwd: sample.checkout });
  const grown = growTo(4, async () => {
    const rows = JSON.parse(await murmur(['ls', '--json'], { quiet: true })) as readonly Row[];
    return rows.filter(({ path, progress }) => isIn(path) && progress?.includes('benchmark.js') === true);
  });
  await withinMinutes(1, grown, 'four agents run the benchmark');
  await murmur(['ls']);
  const machines = await machinesIn(home);
  const receipt = await murmur(['kill', GUARD]);
  for (const name of ['guard', 'guard/north', 'guard/south', 'guard/north/helper']) {
    check(new RegExp(`/${name} +canceled .*destroyed`).test(receipt), `the receipt lists ${name}`, receipt);
  }
  const left = JSON.parse(await murmur(['ls', '--json'], { quiet: true })) as readonly Row[];
  check(!left.some(({ path }) => isIn(path)), 'all agents of the tree have ended');
  check((await machinesIn(home)).length === machines.length - 4, 'their four machines are destroyed');
  const { exitCode } = await execa('pgrep', ['-f', '^node benchmark[.]js$'], { reject: false });
  check(exitCode === 1, 'none of their processes is running');
}

function isIn(path: string): boolean {
  return new RegExp(`/${GUARD}(/|$)`).test(path);
}

/** Machines of the stack, by name. */
async function machinesIn(home: string): Promise<readonly string[]> {
  return (await readdir(join(home, 'machines'))).filter((name) => name.startsWith('murmur-'));
}

async function growTo(count: number, list: () => Promise<readonly unknown[]>): Promise<void> {
  while ((await list()).length < count) await delay(LOOK_AGAIN_MS);
}
