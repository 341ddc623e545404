// Records the files and histories of a real stack of a build, for test/replay: `node scripts/record-home.ts [--build
// <commit>]`. The small files of its MURMUR_HOME go to `files/<short commit>`, and the histories of its workflows to
// `histories/<short commit>` as `real-…`: they contain results that stub activities do not produce. They are kept for
// ever, like all histories.
import { cp, lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { homePaths } from '../config/home.ts';
import { temporalSettings } from '../config/temporal.ts';
import { heldCommandBegan } from '../test/e2e/fixtures/agent.ts';
import { eventually } from '../test/e2e/fixtures/stack.ts';
import { ROOT } from '../test/fixtures/program-under-test.ts';
import { linesOf, withoutPaths } from './histories/lines.ts';
import { earlierBuild } from './upgrade/earlier-build.ts';
import { leaveAgents, WORKER } from './upgrade/agents.ts';
import { startEarlierStack } from './upgrade/earlier-stack.ts';

/** Entries to skip, because they are large or independent of the build: databases, logs, programs, agents' files. */
const LEFT_OUT = ['temporal', 'logs', 'cache', 'home', 'work', 'run', 'bin', 'isolation', 'runner.cjs', 'runner.log'];

const { values } = parseArgs({ options: { build: { type: 'string', default: 'HEAD' } } });
const folder = await mkdtemp(join(tmpdir(), 'murmur-record-'));
try {
  const build = await earlierBuild(values.build, folder);
  await using earlier = await startEarlierStack(build);
  const { call, stack } = earlier;
  const kept = (name: string): string => join(ROOT, 'test', 'replay', name, build.commit);
  await leaveAgents(earlier);
  const release = await heldCommandBegan(stack, WORKER.slug, WORKER.job);
  await call('kill', { slug: 'rested' });
  await recordHistories(stack.home, kept('histories'), 'real');
  // A snapshot contains its work after that.
  await release();
  await eventually('the worker rests', async () => {
    return (await call<{ readonly phase: string }>('status', { slug: WORKER.slug })).phase === 'idle';
  });
  await recordHistories(stack.home, kept('histories'), 'real-idle', WORKER.slug);
  await recordFiles(stack.home, kept('files'));
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function recordHistories(home: string, to: string, prefix: string, slug?: string): Promise<void> {
  const { connectionOptions, namespace } = await temporalSettings({}, homePaths(home));
  const connection = await Connection.connect(connectionOptions);
  const client = new Client({ connection, namespace });
  await mkdir(to, { recursive: true });
  for await (const { workflowId } of client.workflow.list()) {
    if (slug !== undefined && basename(workflowId) !== slug) continue;
    const history = await client.workflow.getHandle(workflowId).fetchHistory();
    const name = workflowId.replace(/^(\w)\/[^/]+\/u\/[^/]+\//, '$1-').replaceAll(/[^\w-]+/g, '-');
    await writeFile(join(to, `${prefix}-${name}.json`), linesOf(history), { flag: 'wx' });
  }
  await connection.close();
}

async function recordFiles(home: string, to: string): Promise<void> {
  const filter = async (source: string): Promise<boolean> =>
    !LEFT_OUT.includes(basename(source)) && !source.endsWith('.log') && !(await lstat(source)).isSocket();
  for (const name of (await readdir(home)).filter((each) => !LEFT_OUT.includes(each))) {
    await cp(join(home, name), join(to, name), { recursive: true, filter, errorOnExist: true, force: false });
  }
  for (const name of await readdir(to, { recursive: true })) {
    if (!/\.jsonl?$/.test(name)) continue;
    const file = join(to, name);
    await writeFile(file, withoutPaths(await readFile(file, 'utf8')));
  }
}
