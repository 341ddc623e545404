// An operator's direct use of Temporal: what it shows, which signals it accepts; and that no secret is in Temporal or a
// file.
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { createClient } from '../../client/index.ts';
import type { MurmurClient } from '../../client/index.ts';
import { detectIsolation } from '../../runner/isolation/detect.ts';
import { bash, heldCommand, heldCommandBegan, machineOf, scripted, settled, statusOf } from './fixtures/agent.ts';
import { clientOf } from './fixtures/client.ts';
import { filesWith } from './fixtures/files.ts';
import { eventLog, ofType } from './fixtures/log.ts';
import { processesWith, runnerOf } from './fixtures/processes.ts';
import { eventually } from './fixtures/stack.ts';
import { stackForFile } from './fixtures/stack-for-file.ts';
import { eventsOf, textsAbout, signalByHand, temporalOf } from './fixtures/temporal.ts';
import type { HandPayload, TestTemporal } from './fixtures/temporal.ts';

const whenNamespaces = (await detectIsolation('auto')).kind === 'namespace' ? it : it.skip;

describe('an operator at Temporal', () => {
  const stack = stackForFile();
  let client: MurmurClient;
  let temporal: TestTemporal;
  beforeAll(async () => {
    client = await clientOf(stack);
    temporal = await temporalOf(stack);
  }, 180_000);
  afterAll(async () => {
    await temporal[Symbol.asyncDispose]();
  }, 120_000);

  /** An agent without a program, whose turn runs until it is ended. */
  async function hanging(slug: string): Promise<WorkflowHandle> {
    await client.call('spawn', { slug, description: scripted('Hang.', { hang: true }), model: 'fake' });
    await turnRuns(slug, 1);
    return temporal.agent(slug);
  }

  async function turnRuns(slug: string, turn: number): Promise<void> {
    await eventually('the turn runs', async () => {
      return ofType(await eventLog(stack, slug), 'turn_start').some((start) => start.turn === turn);
    });
  }

  async function notes(slug: string): Promise<readonly string[]> {
    const { timeline = [] } = await statusOf(stack, slug);
    return timeline.filter(({ type }) => type === 'note').map(({ text }) => text ?? '');
  }

  it('sees the description of an agent, its state and its activities', async () => {
    const prompt = scripted('A prompt that nobody is shown.', bash(heldCommand('shown')), { text: 'ok' });
    await stack.murmur(['spawn', 'shown', prompt, '--model', 'fake', '--purpose', 'Show the operator']);
    const release = await heldCommandBegan(stack, 'shown');
    const agent = await temporal.agent('shown');
    const machine = await machineOf(stack, 'shown');
    const described = await agent.describe();
    const { owner } = /^w\/default\/u\/(?<owner>[^/]+)\/shown$/.exec(agent.workflowId)?.groups ?? {};

    expect(await described.staticSummary()).toBe('shown: Show the operator');
    const attributes = described.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]);
    expect(Object.fromEntries(attributes)).toMatchObject({
      MurmurWorkspace: 'default',
      MurmurOwner: owner,
      MurmurPhase: 'running',
      MurmurRoot: 'shown',
      MurmurRepo: [expect.stringContaining('price-list.git')],
    });
    expect(described.memo).toEqual({
      spawn_id: expect.any(String),
      purpose: 'Show the operator',
      machine,
      provider: 'local',
      created_at: expect.any(String),
    });
    const metadata = await agent.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(metadata.currentDetails).toContain('- **agent**: shown: Show the operator');
    expect(metadata.currentDetails).toContain('- **phase**: running');
    expect(metadata.currentDetails).toContain('- **turn**: 1 (running)');
    expect(metadata.currentDetails).toContain(`- **machine**: ${machine} [running, `);
    expect(metadata.currentDetails).toMatch(/- \*\*cost\*\*: \$\d+\.\d\d/);
    const summaries = (await eventsOf(agent)).flatMap(({ activityTaskScheduledEventAttributes, userMetadata }) => {
      const name = activityTaskScheduledEventAttributes?.activityType?.name;
      const summary = userMetadata?.summary;
      return name == null || summary == null ? [] : [[name, defaultPayloadConverter.fromPayload(summary)]];
    });
    expect(summaries).toEqual([
      ['prepareAgent', 'machine and workspace'],
      ['runTurn', 'turn 1'],
    ]);
    const inTheClear = [described.memo, attributes, metadata.currentDetails, summaries];
    expect(JSON.stringify(inTheClear)).not.toContain('A prompt that nobody is shown');

    await release();
    await settled(stack, 'shown');
    expect((await agent.query<{ currentDetails: string }>('__temporal_workflow_metadata')).currentDetails).toContain(
      '- **phase**: idle',
    );
    const phases = temporal.client.workflow.list({ query: `MurmurPhase = 'idle' AND MurmurRoot = 'shown'` });
    await eventually('the list has the phase', async () => {
      for await (const { workflowId } of phases) if (workflowId === agent.workflowId) return true;
      return false;
    });
  }, 120_000);

  it('can signal by hand with any payload: it takes effect or appears in the timeline, and never fails a task', async () => {
    const garbage = { encoding: 'binary/plain', data: Uint8Array.of(0, 159, 146, 150, 255) };
    const payloads: readonly (HandPayload | undefined)[] = [
      undefined,
      { encoding: 'json/plain', data: '"because I say so"' },
      { data: 'because I say so' },
      { encoding: 'json/plain', data: '{"broken' },
      { encoding: 'x/unheard-of', data: Uint8Array.of(1, 2, 3) },
      garbage,
    ];
    const agent = await hanging('by-hand');

    let turn = 1;
    for (const payload of payloads) {
      await signalByHand(temporal, agent, 'interrupt', payload);
      await eventually('the turn is interrupted', async () => {
        const { phase, reason } = await statusOf(stack, 'by-hand');
        return phase === 'idle' && reason === 'interrupted by operator; waits for a message';
      });
      turn += 1;
      await signalByHand(temporal, agent, 'queueAdd', {
        encoding: 'json/plain',
        data: JSON.stringify(scripted('Hang again.', { hang: true })),
      });
      await turnRuns('by-hand', turn);
    }

    const [none, , plain, ...unreadable] = payloads;
    for (const payload of [none, ...unreadable, { encoding: 'json/plain', data: '{"text":7}' }]) {
      await signalByHand(temporal, agent, 'queueAdd', payload);
    }
    await signalByHand(temporal, agent, 'queueAdd', plain);
    const status = await eventually('the message is queued', async () => {
      const found = await statusOf(stack, 'by-hand');
      return found.queued.length > 0 ? found : undefined;
    });
    // Invalid JSON is taken as a text that somebody has typed.
    expect(status.queued).toEqual(['{"broken', 'because I say so']);
    expect((await notes('by-hand')).filter((text) => text.startsWith('queueAdd was dropped'))).toEqual([
      'queueAdd was dropped: it has no text',
      expect.stringContaining('queueAdd was dropped: its payload is unreadable'),
      expect.stringContaining('queueAdd was dropped: its payload is unreadable'),
      'queueAdd was dropped: its payload has no text',
    ]);

    const victims = await Promise.all(payloads.slice(1).map((_, index) => hanging(`victim-${String(index)}`)));
    for (const [index, victim] of [agent, ...victims].entries()) {
      await signalByHand(temporal, victim, 'kill', payloads[index]);
    }
    for (const victim of [agent, ...victims]) {
      expect(await victim.result()).toMatchObject({
        phase: 'canceled',
        reason: expect.stringContaining('killed by operator'),
        receipt: [{ machine_state: 'destroyed' }],
      });
      const failed = (await eventsOf(victim)).filter(
        ({ workflowTaskFailedEventAttributes: failure }) => failure != null,
      );
      expect(failed).toEqual([]);
    }
    expect((await statusOf(stack, 'by-hand')).undelivered).toEqual(['{"broken', 'because I say so']);
  }, 180_000);

  it('can use the official CLI with address and certificates, from any folder, with its exit status', async () => {
    await client.call('spawn', { slug: 'listed', description: scripted('Say.', { text: 'ok' }), model: 'fake' });
    await settled(stack, 'listed');
    const { workflow } = await statusOf(stack, 'listed');
    const words = ['temporal', 'workflow', 'describe', '--workflow-id', workflow, '--output', 'json'];
    // The user's settings for another server, in all forms that the program reads.
    const configured = join(stack.directory, 'operator', '.config', 'temporalio');
    await mkdir(configured, { recursive: true });
    await writeFile(join(configured, 'temporal.yaml'), 'env:\n  default:\n    address: 127.0.0.1:9\n');
    await writeFile(join(configured, 'temporal.toml'), '[profile.default]\naddress = "127.0.0.1:9"\n');
    const env = {
      HOME: join(stack.directory, 'operator'),
      XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
      TEMPORAL_NAMESPACE: 'of-another-project',
    };
    const described = await stack.run(words, { cwd: '/', env });
    expect(described).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(workflow) });
    const absent = await stack.run(['temporal', 'workflow', 'describe', '--workflow-id', 'nobody']);
    expect(absent).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('not found') });
    const elsewhere = await stack.run(['temporal', 'workflow', 'list'], { env: { TEMPORAL_ADDRESS: '127.0.0.1:9' } });
    expect(elsewhere).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('127.0.0.1:9') });
    expect((await stack.run(['temporal', 'server', 'start-dev', '--help'])).stdout).toContain('--db-filename');
  }, 120_000);

  whenNamespaces(
    'is alone with Temporal: an agent reaches it on no port of the host',
    async () => {
      const probe = await readFile(join(import.meta.dirname, 'fixtures', 'reach-temporal.mjs'), 'base64');
      const { account } = await client.call('auth', {});
      const look = `echo ${probe} | base64 -d > probe.mjs && node probe.mjs w/default/u/${account}/prober`;
      await client.call('spawn', {
        slug: 'prober',
        description: scripted('Look.', bash(look), { text: 'ok' }),
        model: 'fake',
      });
      await settled(stack, 'prober');
      expect((await statusOf(stack, 'prober')).workflow).toBe(`w/default/u/${account}/prober`);
      const [result] = ofType(await eventLog(stack, 'prober'), 'tool_result');
      expect(JSON.parse(result?.text ?? '')).toEqual({ asked: true, reached: [] });
    },
    120_000,
  );

  it('sees that an agent can share ports of its own processes only: not of Temporal, the API, its runner or others', async () => {
    const script =
      `require('http').createServer((_, to) => to.end('from inside')).listen(0, '127.0.0.1', function () {` +
      ` require('fs').writeFileSync(process.env.HOME + '/served', this.address().port + ' ' + JSON.parse(require('fs').readFileSync(process.env.MURMUR_AGENT_FILE)).token) })`;
    await client.call('spawn', {
      slug: 'server',
      description: scripted('Serve.', bash(`node -e "${script}"`)),
      model: 'fake',
    });
    const machine = join(stack.home, 'machines', await machineOf(stack, 'server'));
    const [port, token = ''] = await eventually('the agent serves', async () => {
      const words = (await readFile(join(machine, 'home', 'served'), 'utf8').catch(() => '')).split(' ');
      return words.length > 1 ? words : undefined;
    });
    const record = await stack.record();
    const asAgent = createClient({ url: record.server?.url ?? '', token });
    const url = await asAgent.call('port_url', { port: Number(port) });
    expect(await (await fetch(url)).text()).toBe('from inside');

    const files = ['address.json', 'relay.json', 'host.json'].map((name) => join(machine, 'runner', name));
    const ofRunner = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '{}')));
    const ports = ofRunner.map((text) => (JSON.parse(text) as { readonly port?: number }).port);
    const { server, temporal: running } = record;
    const urls = [
      server?.url,
      running?.http_url,
      `tcp://${running?.address ?? ''}`,
      `tcp://x:${String(running?.ui_port)}`,
    ];
    const others = [...ports, ...urls.map((each) => Number(URL.parse(each ?? '')?.port))].filter(Boolean);
    expect(others.length).toBeGreaterThanOrEqual(5);
    for (const other of others) {
      const refusal = asAgent.call('port_url', { port: other ?? 0 });
      await expect(refusal).rejects.toMatchObject({
        code: 'PERMISSION_DENIED',
        message: expect.stringContaining('held'),
      });
    }

    await client.call('kill', { slug: 'server' });
    expect((await fetch(url)).status).toBe(404);
  }, 120_000);

  it('finds no secret in Temporal, in a file or in a log, before and after the agent has ended', async () => {
    const canary = `canary-${randomBytes(12).toString('hex')}`;
    const commands = 'echo "it is $CANARY"; git commit --allow-empty -m "with $CANARY"';
    await stack.murmur(['spawn', 'careful', scripted('Echo it.', bash(commands), { text: 'echoed' }), '-e', 'CANARY'], {
      env: { CANARY: canary },
    });
    await settled(stack, 'careful');
    const agent = await temporal.agent('careful');
    const machine = await machineOf(stack, 'careful');

    const results = ofType(await eventLog(stack, 'careful'), 'tool_result');
    expect(results[0]?.text).toContain('it is [secret CANARY]');
    expect((await statusOf(stack, 'careful')).commits).toBe(1);
    expect(await stack.murmur(['status', 'careful', '--timeline'])).toContain('with [secret CANARY]');
    expect(await textsAbout(agent)).toContain('with [secret CANARY]');
    expect(await textsAbout(agent)).not.toContain(canary);
    // Except the secret store, and the agent's own home (with its program's conversation) and work.
    const ofTheAgent = ['home', 'work'].map((folder) => join(stack.home, 'machines', machine, folder));
    expect(await filesWith(stack, canary, ofTheAgent)).toEqual([expect.stringContaining(join(stack.home, 'secrets'))]);
    const { supervisor, children } = await stack.record();
    const ours = [supervisor, ...Object.values(children)].map(({ pid }) => pid);
    const holders = (await processesWith(canary)).map((line) => Number.parseInt(line, 10));
    expect(holders.filter((pid) => ours.includes(pid))).toEqual([]);
    expect(holders).not.toContain(await runnerOf(stack, machine));

    await client.call('kill', { slug: 'careful' });
    expect(await textsAbout(agent)).not.toContain(canary);
    expect(await filesWith(stack, canary)).toEqual([]);
    // The search works: it finds the prompt in the database.
    expect(await filesWith(stack, 'Echo it.')).toContainEqual(expect.stringContaining('temporal.db'));
    expect(await processesWith(canary)).toEqual([]);
    expect(await stack.murmur(['turns', 'careful'])).not.toContain(canary);

    // The model's key is a secret of the whole stack. Only a file for the agent program ever contains it.
    const key = stack.env['ANTHROPIC_API_KEY'] ?? '';
    expect(await textsAbout(agent)).not.toContain(key);
    expect((await filesWith(stack, key)).filter((file) => !file.includes('/run/agent/'))).toEqual([]);
  }, 120_000);
});
