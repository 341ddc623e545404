// An agent as a caller of Murmur, from the outside: over MCP and with `murmur` on its machine.
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient } from '../../client/index.ts';
import { AGENT_TOKEN } from '../../contract/wire/tokens.ts';
import { overHttp, textOf } from '../mcp/fixtures/client.ts';
import { bash, machineOf, scripted, settled, spawnAgent } from './fixtures/agent.ts';
import { clientOf } from './fixtures/client.ts';
import { eventLog, ofType } from './fixtures/log.ts';
import { commandLinesWith, nothingLeft, runnerOf } from './fixtures/processes.ts';
import { eventually, startStack, type TestStack } from './fixtures/stack.ts';
import { temporalOf, textsAbout } from './fixtures/temporal.ts';

describe('a team of agents', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack();
  }, 180_000);
  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
    await nothingLeft(stack);
  }, 120_000);

  /** What the tools of a step returned to the model. */
  async function returned(prompt: string, step: number): Promise<string> {
    const request = await stack.model.waitForRequest((each) => each.prompt.includes(prompt) && each.step === step);
    return request.toolResults.map(({ text }) => text).join('\n');
  }

  it('an agent spawns a child over MCP, hears of its end and uses murmur as itself', async () => {
    const kid = scripted(
      'Do as the checklist says.',
      bash('murmur task update 1 -s done; murmur kill "/$(dirname $MURMUR_WORKFLOW_ID)"'),
      { text: 'The checklist is done.' },
    );
    const steps = [
      { tool: 'mcp__murmur__spawn', input: { slug: 'kid', description: kid, tasks: ['Say so'], model: 'fake' } },
      { text: 'The kid is at it.' },
      bash('murmur ls; murmur status; echo "my token: $MURMUR_TOKEN"; murmur session send "note to self"'),
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
    // The model has asked for it; who reads the session does not see it.
    expect(typed).toMatch(/my token: mur_\S{30,}/);
    const shown = ofType(await eventLog(stack, 'lead'), 'tool_result').map(({ text }) => text);
    expect(shown.join('\n')).toContain(`my token: [secret ${AGENT_TOKEN}]`);
    expect(await returned('[child_lifecycle]', 2)).toContain('"phase":"idle"');
    await stack.model.waitForRequest(({ prompt }) => prompt.includes('note to self'));

    await settled(stack, 'lead');
    const client = await clientOf(stack);
    const { children, phase } = await client.call('status', { slug: 'lead', children: true });
    expect(phase).toBe('idle');
    expect(children).toMatchObject([{ slug: 'kid', phase: 'task-complete', response: 'The checklist is done.' }]);
    expect(await client.call('task_list', { slug: 'lead/kid' })).toMatchObject([{ subject: 'Say so', status: 'done' }]);
    // For a child its parent cannot be killed: it is told that there is no such agent.
    const [refused] = ofType(await eventLog(stack, 'lead/kid'), 'tool_result');
    expect(refused?.text).toMatch(/murmur: agent "[^"]*\/lead" not found/);
  }, 150_000);

  it('an agent that calls over HTTP uploads a file of its checkout, and none that only its runner can read', async () => {
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
  }, 60_000);

  it('the token of an agent stands where only the agent is, and is refused once it has ended', async () => {
    const temporal = await temporalOf(stack);
    const agent = await temporal.agent('lead');
    const machine = await machineOf(stack, 'lead');
    const token = await tokenOf(machine);
    expect(token).toMatch(/^\S{32,}$/);
    const { server } = await stack.record();
    const asAgent = createClient({ url: server?.url ?? '', token });
    expect(await asAgent.call('ls', {})).toMatchObject([{ slug: 'kid' }]);

    expect(await commandLinesWith(token)).toEqual([]);
    // The search would have found it: the MCP server does stand in the program's command line.
    expect(await commandLinesWith('"mcpServers":{"murmur":')).not.toEqual([]);
    expect(await textsAbout(agent)).not.toContain(token);
    const inTheHome = join(stack.home, 'machines', machine, 'home');
    expect((await filesWith(token)).filter((file) => !file.startsWith(inTheHome))).toEqual([
      expect.stringContaining(join(stack.home, 'secrets')),
    ]);

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

  /** The token in the environment of the machine's agent program. */
  async function tokenOf(machine: string): Promise<string> {
    const runner = await runnerOf(stack, machine);
    expect(await readFile(`/proc/${String(runner)}/environ`, 'utf8')).not.toContain(AGENT_TOKEN);
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      if (!environment.includes(`MURMUR_MACHINE=${machine}\0`)) continue;
      const token = new RegExp(`(?:^|\0)${AGENT_TOKEN}=([^\0]*)`).exec(environment)?.[1];
      if (token !== undefined) return token;
    }
    throw new Error(`no process of machine ${machine} has a token`);
  }

  /** Files of the home that hold the text. */
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
