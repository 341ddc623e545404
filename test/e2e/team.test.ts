// Teams with the real agent program: agents use Murmur over MCP and by `murmur` on their machine, within their rights
// and budgets, and an assessor judges their work.
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createClient } from '../../client/index.ts';
import type { AgentFile } from '../../contract/wire/agent-file.ts';
import { AGENT_TOKEN } from '../../contract/wire/tokens.ts';
import { overHttp, textOf } from '../mcp/fixtures/client.ts';
import {
  bash,
  heldCommand,
  heldCommandBegan,
  machineOf,
  scripted,
  settled,
  spawnAgent,
  statusOf,
} from './fixtures/agent.ts';
import { clientOf } from './fixtures/client.ts';
import { eventLog, ofType } from './fixtures/log.ts';
import { commandLinesWith, runnerOf } from './fixtures/processes.ts';
import { eventually } from './fixtures/stack.ts';
import type { TestStack } from './fixtures/stack.ts';
import { stackForFile } from './fixtures/stack-for-file.ts';
import { pendingTurn, temporalOf, textsAbout } from './fixtures/temporal.ts';

/** A model message that costs four cents and takes some time, like a real one. */
const dear = (step: object): object => ({ ...step, delayMs: 400, usage: { input_tokens: 10_000, output_tokens: 1 } });

const stack = stackForFile();

describe('a team of agents', () => {
  /** The tool results of a step. */
  async function returned(prompt: string, step: number): Promise<string> {
    const request = await stack.model.waitForRequest((each) => each.prompt.includes(prompt) && each.step === step);
    return request.toolResults.map(({ text }) => text).join('\n');
  }

  it('an agent spawns a child over MCP, gets its end, and uses murmur with its own rights', async () => {
    const kid = scripted(
      'Do as the checklist says.',
      bash('murmur task update 1 -s done; murmur kill "/$(dirname $MURMUR_WORKFLOW_ID)"'),
      { text: 'The checklist is done.' },
    );
    const steps = [
      { tool: 'mcp__murmur__spawn', input: { slug: 'kid', description: kid, tasks: ['Say so'], model: 'fake' } },
      { text: 'The kid is at it.' },
      bash('murmur ls; murmur status; cat "$MURMUR_AGENT_FILE"; murmur session send "note to self"; env'),
      { tool: 'mcp__murmur__status', input: { slug: 'kid' } },
      { text: 'The kid has finished.' },
      { text: 'Noted.' },
    ];
    await spawnAgent(stack, 'lead', scripted('Lead the work.', ...steps));

    const first = await stack.model.waitForRequest(({ prompt }) => prompt.includes('Lead the work.'));
    const tools = ['spawn', 'wait', 'status', 'ls', 'kill', 'queue_add', 'task_create', 'version'];
    expect(first.tools).toEqual(expect.arrayContaining(tools.map((name) => `mcp__murmur__${name}`)));
    expect(await returned('Lead the work.', 1)).toMatch(/"slug":"kid".*"phase":"starting"/);

    const news = await stack.model.waitForRequest(({ prompt }) => prompt.includes('[child_lifecycle]'));
    expect(news.prompt).toContain('`kid` is task-complete');
    expect(news.prompt).toContain('The checklist is done.');
    const typed = await returned('[child_lifecycle]', 1);
    expect(typed).toMatch(/^kid +\S/m);
    expect(typed).toMatch(/^workflow: +w\/default\/u\/[^/]+\/lead$/m);
    expect(typed).toMatch(/^sent$/m);
    // The model has requested it, but viewers of the session do not see it.
    expect(typed).toMatch(/"token":"mur_[^"]{30,}"/);
    // Tools do not inherit it.
    expect(typed).toMatch(/^MURMUR_AGENT_FILE=\//m);
    expect(typed).not.toMatch(/^[A-Z_]+=mur_|^MURMUR_API_URL=|^GIT_AUTHOR_|^GIT_COMMITTER_/m);
    const shown = ofType(await eventLog(stack, 'lead'), 'tool_result').map(({ text }) => text);
    expect(shown.join('\n')).toContain(`"token":"[secret ${AGENT_TOKEN}]"`);
    expect(await returned('[child_lifecycle]', 2)).toContain('"phase":"idle"');
    await stack.model.waitForRequest(({ prompt }) => prompt.includes('note to self'));

    await settled(stack, 'lead');
    const client = await clientOf(stack);
    const { children, phase } = await client.call('status', { slug: 'lead', children: true });
    expect(phase).toBe('idle');
    expect(children).toMatchObject([{ slug: 'kid', phase: 'task-complete', response: 'The checklist is done.' }]);
    expect(await client.call('task_list', { slug: 'lead/kid' })).toMatchObject([{ subject: 'Say so', status: 'done' }]);
    // A child cannot kill its parent: it gets NOT_FOUND.
    const [refused] = ofType(await eventLog(stack, 'lead/kid'), 'tool_result');
    expect(refused?.text).toMatch(/murmur: agent "[^"]*\/lead" not found/);
  }, 150_000);

  it("an agent can upload a file of its checkout over HTTP, but none of the owner's files", async () => {
    const machine = await machineOf(stack, 'lead');
    const { server } = await stack.record();
    await using mcp = await overHttp(server?.url ?? '', await tokenOf(machine));
    const shared = await mcp.call('upload', { filename: 'readme.txt', path: 'README.md' });
    const checkout = join(stack.home, 'machines', machine, 'work', basename(stack.sample.origin, '.git'));
    expect(await (await fetch(textOf(shared))).text()).toBe(await readFile(join(checkout, 'README.md'), 'utf8'));
    const config = join(stack.home, 'machines', machine, 'runner', 'config.json');
    await readFile(config);
    const refused = await mcp.call('upload', { filename: 'config.txt', path: config });
    expect(textOf(refused)).toContain(`NOT_FOUND: there is no file "${config}"`);
    // Nor can it use a folder of the owner as a child's repository, which would be cloned with the owner's rights.
    for (const place of ['https://git.example/corp/payroll.git', `file://${join(stack.home, 'machines', machine)}`]) {
      const repos = [{ clone_url: place }];
      const denied = textOf(await mcp.call('spawn', { slug: 'thief', description: 'x', repos }));
      expect(denied).toMatch(/PERMISSION_DENIED: agents may not clone .*this agent's own repositories.*--allow-repo/s);
    }
  }, 60_000);

  it("an agent's token is only in the agent's own environment, and is refused after its end", async () => {
    const temporal = await temporalOf(stack);
    const agent = await temporal.agent('lead');
    const machine = await machineOf(stack, 'lead');
    const token = await tokenOf(machine);
    expect(token).toMatch(/^\S{32,}$/);
    const { server } = await stack.record();
    const asAgent = createClient({ url: server?.url ?? '', token });
    expect(await asAgent.call('ls', {})).toMatchObject([{ slug: 'kid' }]);

    expect(await commandLinesWith(token)).toEqual([]);
    // The search works: it finds the MCP server in the program's command line.
    expect(await commandLinesWith('"mcpServers":{"murmur":')).not.toEqual([]);
    expect(await textsAbout(agent)).not.toContain(token);
    const inTheHome = join(stack.home, 'machines', machine, 'home');
    // The owner of the home may read all of it.
    expect((await filesWith(token)).filter((file) => !file.startsWith(inTheHome)).toSorted()).toEqual([
      agentFileOf(machine),
      expect.stringContaining(join(stack.home, 'secrets')),
    ]);
    expect((await stat(agentFileOf(machine))).mode & 0o777).toBe(0o600);

    await stack.murmur(['kill', 'lead']);
    const ended = Date.now();
    await eventually('the token is refused', async () => {
      const refusal = await asAgent.call('ls', {}).catch((error: unknown) => error);
      return (refusal as { code?: string }).code === 'UNAUTHENTICATED';
    });
    expect(Date.now() - ended).toBeLessThan(5_000);
    expect(await filesWith(token)).toEqual([]);
    expect(await textsAbout(agent)).not.toContain(token);
    await temporal[Symbol.asyncDispose]();
  }, 120_000);

  function agentFileOf(machine: string): string {
    return join(stack.home, 'machines', machine, 'run', 'agent', 'murmur.json');
  }

  /** The token in the machine's file, which no process of the machine has in its environment. */
  async function tokenOf(machine: string): Promise<string> {
    const { token = '' } = JSON.parse(await readFile(agentFileOf(machine), 'utf8')) as AgentFile;
    const runner = await runnerOf(stack, machine);
    const marked: string[] = [];
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      if (pid !== String(runner) && !environment.includes(`MURMUR_MACHINE=${machine}\0`)) continue;
      marked.push(pid);
      expect(environment.includes(token)).toBe(false);
    }
    // The runner, and the agent program.
    expect(marked.length).toBeGreaterThan(1);
    return token;
  }

  /** Files of the home that contain the text. */
  async function filesWith(text: string): Promise<readonly string[]> {
    const entries = await readdir(stack.home, { recursive: true, withFileTypes: true });
    const found: string[] = [];
    for (const entry of entries.filter((each) => each.isFile())) {
      const file = join(entry.parentPath, entry.name);
      const content = await readFile(file).catch(() => Buffer.alloc(0));
      if (content.includes(text)) found.push(file);
    }
    return found;
  }
});

describe('an agent with a budget', () => {
  const spawn = async (slug: string, description: string, more: object): Promise<void> => {
    const repos = [{ clone_url: stack.sample.origin, base_branch: 'main' }];
    await (await clientOf(stack)).call('spawn', { slug, description, repos, ...more });
  };

  it('is stopped at the limit during a turn, even after a worker has died, and continues when the limit is raised', async () => {
    const steps = Array.from({ length: 12 }, (_, index) => dear(bash(`echo ${String(index)} >> counted`)));
    // $0.04 each: the sixth reaches 80 %, where the agent gets a notice, and the eighth exceeds the limit.
    const prompt = scripted(
      'Count.',
      ...steps.slice(0, 3),
      dear(bash(heldCommand('held'))),
      ...steps.slice(3, 4),
      dear(bash(heldCommand('told'))),
      ...steps.slice(4),
      { text: 'counted all' },
    );
    await spawn('spender', prompt, { max_cost_usd: 0.3 });
    const release = await heldCommandBegan(stack, 'spender', 'held');
    const { worker } = (await stack.record()).children;
    if (worker === undefined) throw new Error('the stack has no worker');
    process.kill(worker.pid, 'SIGKILL');
    await using temporal = await temporalOf(stack);
    const workflow = await temporal.agent('spender');
    await eventually('the next worker has the turn', async () => ((await pendingTurn(workflow))?.attempt ?? 0) > 1);
    await release();
    const goOn = await heldCommandBegan(stack, 'spender', 'told');
    await eventually('the turn has the notice', async () => {
      const { events } = await workflow.fetchHistory();
      const asked = events?.find(
        (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'noticeTurn',
      );
      return events?.some(
        ({ activityTaskCompletedEventAttributes: done }) =>
          done !== null && done !== undefined && String(done.scheduledEventId) === String(asked?.eventId),
      );
    });
    await goOn();

    const parked = await settled(stack, 'spender');
    expect(parked).toMatchObject({ phase: 'idle', parked: { reason: expect.stringContaining('`murmur budget /w/') } });
    const used = parked.budget?.used_usd ?? 0;
    // The message that exceeded the limit, and those until the interrupt arrived.
    expect(used).toBeGreaterThanOrEqual(0.3);
    expect(used).toBeLessThan(0.48);
    // It got the notice during the turn, which was the only one so far.
    expect(parked.turn?.number).toBe(1);
    const toldIn = ({ messages }: TestStack['model']['requests'][number]): number =>
      messages.filter(({ text }) => /The budget of \/w\/\S+, which covers your work, is used to/.test(text)).length;
    expect(stack.model.requests.map(toldIn)).toContain(1);
    expect(await stack.murmur(['status', 'spender'])).toMatch(/^budget: +\$0\.\d\d of \$0\.30 used/m);

    expect(await stack.murmur(['budget', 'spender', '5'])).toContain('budget of spender: $0.');
    await eventually('the turn goes on', async () => (await statusOf(stack, 'spender')).response === 'counted all');
    const done = await settled(stack, 'spender');
    expect(done).toMatchObject({ phase: 'idle', budget: { limit_usd: 5 } });
    expect(done.parked).toBeUndefined();
    expect(stack.model.requests.map(toldIn).at(-1)).toBe(1);
    expect(await stack.runInProcess(['budget', 'spender', 'lots'])).toMatchObject({ exitCode: 2 });
    expect(await stack.runInProcess(['budget', 'spender', '0'])).toMatchObject({ exitCode: 2 });
  }, 200_000);

  it('cannot raise its own limit', async () => {
    const raise = 'murmur budget "" 100 2>&1 | tail -1; echo "left with ${PIPESTATUS[0]}"';
    const prompt = scripted('Raise it.', bash(`bash -c '${raise}'`), { text: 'tried' });
    await spawn('cheat', prompt, { max_cost_usd: 3, model: 'fake' });
    const { budget } = await settled(stack, 'cheat');
    expect(budget?.limit_usd).toBe(3);
    const [refused] = ofType(await eventLog(stack, 'cheat'), 'tool_result');
    expect(refused?.text).toContain('agents are not allowed to call');
  }, 120_000);

  it('is assessed: missing work becomes the next turn, and the assessment counts as cost', async () => {
    const missing = { done: false, reason: 'The file is empty.', missing: ['write a word into the file'] };
    const prompt = scripted(
      'Make a file.',
      bash('touch word'),
      { text: 'made it' },
      bash('echo word > word'),
      { text: 'wrote it' },
      { verdict: missing },
      { verdict: { done: true, reason: 'The word is there.', missing: [] } },
    );
    await spawn('careful', prompt, { completion_check: 'assessor' });
    const done = await settled(stack, 'careful');
    expect(done).toMatchObject({ phase: 'idle', response: 'wrote it', turn: { number: 2 } });
    const { timeline = [] } = await statusOf(stack, 'careful');
    expect(timeline.flatMap(({ type, text }) => (type === 'note' ? [text] : []))).toEqual([
      'assessment 1 of 3: not done: The file is empty. Missing: write a word into the file',
      'assessment 2 of 3: done: The word is there.',
    ]);
    const questions = stack.model.requests.filter(({ tools }) => tools.includes('StructuredOutput'));
    expect(questions.map(({ prompt: text }) => text.includes('+word'))).toEqual([false, true]);
    const turns = stack.model.requests.filter(
      ({ messages, tools }) =>
        messages.some(({ text }) => text.includes('Make a file')) && !tools.includes('StructuredOutput'),
    );
    const each = done.cost.own_usd / (turns.length + questions.length);
    expect(each).toBeCloseTo(0.0008, 6);
  }, 120_000);
});
