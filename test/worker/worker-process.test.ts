import { access, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { ensureHostId, homePaths } from '../../config/home.ts';
import type { AgentSpec, AgentStatus } from '../../contract/wire/agent.ts';
import { workflowIdOf } from '../../contract/wire/identity.ts';
import { AGENT_WORKFLOW, taskQueueOf } from '../../contract/wire/messages.ts';
import { sealSpec } from '../../agents/sealed.ts';
import { createFileEventLog } from '../../drivers/events/file.ts';
import { openSigningKey } from '../../drivers/keys/signing-key.ts';
import { createDirectoryObjectStore } from '../../drivers/objects/directory.ts';
import { createDirectoryTokenStore } from '../../drivers/tokens/directory.ts';
import { mintToken } from '../../drivers/tokens/token.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';
import { agentSpec, ofEarlierBuild, withCredentials } from '../fixtures/agent-spec.ts';
import { temporalForFile } from '../fixtures/temporal-for-file.ts';
import { eventually, WAIT_LIMIT_MS } from '../fixtures/waiting.ts';
import { startWorkerProcess } from '../fixtures/worker-process.ts';
import type { WorkerProcess } from '../fixtures/worker-process.ts';

const KEY = 'sk-ant-never-to-be-seen';

const temporal = temporalForFile();

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const started: WorkerProcess[] = [];
const agents: WorkflowHandle[] = [];

function work(env: NodeJS.ProcessEnv = {}, address = temporal.address): WorkerProcess {
  const worker = startWorkerProcess(folder.path, address, { ANTHROPIC_API_KEY: KEY, ...env });
  started.push(worker);
  return worker;
}

async function seal(spec: AgentSpec): Promise<unknown> {
  const home = homePaths(folder.path);
  const key = await openSigningKey(home.keys, undefined);
  return await sealSpec({ objects: createDirectoryObjectStore(home.objects), key }, spec);
}

/** As builds without seals did: the agent has a token. */
async function giveToken({ identity, token_id, created_at }: AgentSpec): Promise<unknown> {
  const tokens = createDirectoryTokenStore(homePaths(folder.path).tokenStore);
  return await mintToken(tokens, { id: token_id ?? '', account: 'tess', agent: workflowIdOf(identity), created_at });
}

/** Spawns an agent with the fake backend, whose script is in the prompt. */
async function spawnAgent(
  prompt: string,
  prepare: (spec: AgentSpec) => Promise<unknown> = seal,
): Promise<{ readonly handle: WorkflowHandle; readonly spec: AgentSpec }> {
  const plain = withCredentials(agentSpec({ repos: [], prompt: { text: prompt } }));
  const local = { ...plain, machine: { ...plain.machine, provider: 'local' } };
  const spec = prepare === giveToken ? ofEarlierBuild(local) : local;
  await prepare(spec);
  const handle = await temporal.client.workflow.start(AGENT_WORKFLOW, {
    taskQueue: taskQueueOf(ensureHostId(homePaths(folder.path))),
    workflowId: workflowIdOf(spec.identity),
    args: [spec],
    workflowTaskTimeout: '2s',
  });
  agents.push(handle);
  return { handle, spec };
}

async function until(handle: WorkflowHandle, holds: (status: AgentStatus) => boolean): Promise<AgentStatus> {
  let last: AgentStatus | undefined;
  await eventually(async () => {
    last = await handle.query<AgentStatus>('status').catch(() => undefined);
    return last !== undefined && holds(last);
  }, 'a phase');
  return last as AgentStatus;
}

describe('a worker process', () => {
  let worker: WorkerProcess;
  let first: Awaited<ReturnType<typeof spawnAgent>>;
  let earlier: Awaited<ReturnType<typeof spawnAgent>>;
  let hanging: Awaited<ReturnType<typeof spawnAgent>>;

  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(async () => {
    // Killed by a worker, so that no runner is left.
    if (agents.length > 0 && !started.some((worker) => worker.isRunning())) work();
    for (const agent of agents.splice(0)) {
      await agent.signal('kill').catch(() => undefined);
      await agent.result().catch(() => undefined);
    }
    await Promise.all(started.splice(0).map((worker) => worker.end('SIGKILL')));
    await folder[Symbol.asyncDispose]();
  }, 120_000);

  it('waits for Temporal to start, then runs an agent', async () => {
    earlier = await spawnAgent('I was here before', giveToken);
    await temporal.kill();
    worker = work();
    await worker.untilLogged('Temporal cannot be reached: trying again');
    await temporal.restart();
    await worker.untilLogged('polling');
    first = await spawnAgent('hello');
    await until(first.handle, (now) => now.phase === 'idle');
  }, 180_000);

  it('seals the agents of a build without seals once: a later agent without a seal is rejected', async () => {
    await until(earlier.handle, (now) => now.phase === 'idle' && now.turn?.number === 1);
    const late = await spawnAgent('printenv', giveToken);
    const reason = 'is not sealed by this installation';
    expect(await late.handle.result()).toMatchObject({ phase: 'failed', reason: expect.stringContaining(reason) });
    const forged = await spawnAgent('printenv', async () => undefined);
    expect(await forged.handle.result()).toMatchObject({ phase: 'failed', reason: expect.stringContaining(reason) });
    await expect(access(`${homePaths(folder.path).machines}/${forged.spec.machine.name}`)).rejects.toThrow('ENOENT');
  }, 120_000);

  it('survives a restart of a killed Temporal server', async () => {
    await temporal.kill();
    await temporal.restart();
    await first.handle.signal('queueAdd', 'and again');
    await until(first.handle, (now) => now.turn?.number === 2 && now.phase === 'idle');
    expect(worker.lines().filter((line) => line['msg'] === 'stopped')).toEqual([]);
  }, 180_000);

  it('logs JSON lines without keys, and passes no keys to its runners', async () => {
    hanging = await spawnAgent('wait [[ {"hang":true} ]]');
    await until(hanging.handle, (now) => now.turn?.running === true);
    expect(() => worker.lines()).not.toThrow();
    expect(worker.output()).not.toContain(KEY);
    if (process.platform !== 'linux') return;
    const { name } = hanging.spec.machine;
    const address = `${homePaths(folder.path).machines}/${name}/runner/address.json`;
    const { pid } = JSON.parse(await readFile(address, 'utf8')) as { pid: number };
    expect(await readFile(`/proc/${pid.toString()}/environ`, 'utf8')).not.toContain(KEY);
  }, 120_000);

  it('hands over a turn to the next worker when it stops', async () => {
    const events = createFileEventLog(homePaths(folder.path).events);
    const id = workflowIdOf(hanging.spec.identity);
    const types = async () => (await events.read(id, 0, 1_000)).map(({ event }) => event.type);
    await eventually(async () => (await types()).includes('turn_start'), 'the turn in the log');
    expect(await worker.end('SIGTERM')).toBe(0);
    expect(await types()).not.toContain('turn_complete');
    const second = work();
    await second.untilLogged('polling');
    await hanging.handle.signal('interrupt');
    await until(hanging.handle, (now) => now.phase === 'idle');
    const seen = await types();
    expect(seen.filter((type) => type === 'turn_start')).toHaveLength(1);
    expect(seen.filter((type) => type === 'turn_complete')).toHaveLength(1);
  }, 180_000);

  it('stops at once while it waits for Temporal', async () => {
    const waiting = work({}, '127.0.0.1:9');
    await waiting.untilLogged('Temporal cannot be reached: trying again');
    expect(await waiting.end('SIGTERM')).toBe(0);
  }, 120_000);

  it('logs why it cannot start, and exits with a failure', async () => {
    const failing = work({ MURMUR_ISOLATION: 'a tent' });
    const code = await Promise.race([
      failing.ended,
      new Promise((resolve) => setTimeout(resolve, WAIT_LIMIT_MS, 'late').unref()),
    ]);
    expect(code).toBe(1);
    expect(failing.output()).toContain('a tent');
  }, 120_000);
});
