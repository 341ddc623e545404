// Tools that name a file, over HTTP: an agent's runner reads it on its machine; a person's file cannot be read.
import { rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeTools } from '../../contract/mcp.ts';
import { operations } from '../../contract/operations/index.ts';
import { createFakeProvider } from '../../drivers/machines/fake.ts';
import type { FakeProvider } from '../../drivers/machines/fake.ts';
import { mintToken } from '../../drivers/tokens/token.ts';
import { hasProved } from '../drivers/machines/proving.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';
import { overHttp, textOf } from '../mcp/fixtures/client.ts';
import type { McpClient } from '../mcp/fixtures/client.ts';
import { cleanUp, groupContainment, MACHINE, openRequest, startRunner, until } from '../runner/fixture.ts';
import type { TestRunner } from '../runner/fixture.ts';
import { startApi } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';
import { knownAgents, startingClient } from './fixtures/known-agents.ts';
import type { SentUpdate } from './fixtures/known-agents.ts';
import { creation } from '../fixtures/creation.ts';

const AGENT = 'w/default/u/alice/lead';
/** The name of the machine of the fixture's runner. */
const SILENCE_MS = 400;

const known = knownAgents();
const updates: SentUpdate[] = [];
/** Running reading programs of the runner. */
const readers = new Set<object>();
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let machines: FakeProvider;
let runner: TestRunner;
let api: Api;
let agent: McpClient;
let person: McpClient;

async function mcpOf(identity: string): Promise<McpClient> {
  const entry = { id: `agent-${identity.replaceAll('/', '-')}`, account: 'alice', agent: identity };
  return await overHttp(api.url, await mintToken(api.parts.tokenStore, { ...entry, created_at: '2026-01-01' }));
}

beforeAll(async () => {
  folder = await temporaryFolder();
  machines = createFakeProvider(folder.path);
  await machines.create({ name: MACHINE, labels: { agent: AGENT } }, creation());
  const containment = groupContainment();
  runner = await startRunner({
    folder: join(folder.path, MACHINE),
    containment: {
      ...containment,
      spawn: (command, args, options) => {
        const child = containment.spawn(command, args, options);
        readers.add(child);
        child.once('exit', () => readers.delete(child));
        return child;
      },
    },
  });
  await runner.client.open(openRequest());
  await mkdir(join(runner.paths.work, '.murmur', 'flights'), { recursive: true });
  known.agents.set(AGENT, { machine: MACHINE });
  api = await startApi({
    parts: { temporal: startingClient(known, updates), machines: { local: machines } },
    timing: { uploadSilence: SILENCE_MS },
  });
  agent = await mcpOf(AGENT);
  person = await overHttp(api.url, api.token);
});
afterAll(async () => {
  await agent[Symbol.asyncDispose]();
  await person[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
  await cleanUp();
  await folder[Symbol.asyncDispose]();
});

function write(name: string, content: string): string {
  const file = join(runner.paths.work, name);
  writeFileSync(file, content);
  return file;
}

test('the tools are the same as those of `murmur mcp`, field by field', async () => {
  const { tools } = await person.client.listTools();
  expect(tools).toEqual(describeTools().map(({ answer: _answer, ...tool }) => tool));
  expect(tools.map(({ name }) => name)).toContain('upload');
});

describe('an agent', () => {
  test('uploads a file of its machine, which appears in its timeline', async () => {
    write('report.html', '<p>done</p>');
    const shared = await agent.call('upload', { filename: 'report.html', path: 'report.html' });
    const url = textOf(shared);
    expect(shared.structuredContent).toEqual({ url });
    const response = await fetch(url);
    expect([response.headers.get('content-type'), await response.text()]).toEqual([
      'text/html; charset=utf-8',
      '<p>done</p>',
    ]);
    expect(known.signals.at(-1)).toMatchObject({ id: AGENT, name: 'upload', payload: { url, bytes: 11 } });
  });

  test('starts a child for each line of a file', async () => {
    const path = write('packages.txt', 'api\r\n\nweb app\n');
    const input = { slug: 'lint-{}', description: 'Lint {}', each: path };
    const { structuredContent } = await agent.call('spawn', input);
    expect(structuredContent).toEqual({
      slugs: ['lint-api', 'lint-web-app'],
      count: 2,
      workspace: 'default',
      failed: [],
    });
    const [key = ''] = await api.parts.objects.list('fanouts/');
    expect(JSON.parse(String(await api.parts.objects.get(key)))).toMatchObject({
      place: { path: ['lead'] },
      agents: [
        { slug: 'lint-api', item: 'api' },
        { slug: 'lint-web-app', item: 'web app' },
      ],
    });
  });

  test('spawns the pilot of a flight of its repository', async () => {
    write('.murmur/flights/deploy.md', '# Deploy\n## build\nBuild it\n');
    const spawned = await agent.call('spawn', { flight: 'deploy.md' });
    expect(spawned.structuredContent).toMatchObject({ slug: 'flight-deploy' });
    expect(updates.at(-1)).toMatchObject({ name: 'spawnChild', args: [{ spec: { flight: { name: 'Deploy' } } }] });
  });

  test.each<[string, string, Record<string, unknown>, string]>([
    ['a missing file', 'upload', { filename: 'a', path: 'none' }, 'NOT_FOUND: there is no file "none"'],
    ['no file', 'upload', { filename: 'a', path: '/dev/zero' }, 'INVALID_ARGUMENT: "/dev/zero" is not a regular file'],
    ['an invalid name', 'upload', { filename: 'a/b', path: 'none' }, 'INVALID_ARGUMENT: filename'],
    ['a missing list', 'spawn', { slug: 'a-{}', description: '{}', each: 'none' }, 'NOT_FOUND: there is no'],
    ['a list without a template', 'spawn', { slug: 'a', description: '{}', each: 'empty' }, 'INVALID_ARGUMENT: no it'],
    ['a list without a name', 'spawn', { slug: 'a', description: '{}', each: '' }, 'INVALID_ARGUMENT: each names no'],
    ['a flight elsewhere', 'spawn', { flight: '../../a.md' }, 'INVALID_ARGUMENT: flight "../../a.md" cannot be read'],
    ['a flight by a link out', 'spawn', { flight: 'out.md' }, 'INVALID_ARGUMENT: ".murmur/flights/out.md" is a link'],
    ['a flight and a list', 'spawn', { flight: 'a.md', each: 'empty', slug: 'a', description: '{}' }, 'INVALID_ARGU'],
  ])('gets an error for %s', async (_, tool, input, text) => {
    const link = join(runner.paths.work, '.murmur', 'flights', 'out.md');
    rmSync(link, { force: true });
    symlinkSync(write('empty', '\n'), link);
    const refused = await agent.call(tool, input);
    expect([refused.isError, textOf(refused).slice(0, text.length)]).toEqual([true, text]);
  });

  test.each<[string, string, Record<string, unknown>, string]>([
    ['an upload', 'upload', { filename: 'a', path: 'large' }, 'INVALID_ARGUMENT: the file is larger than 1 MB'],
    [
      'a list',
      'spawn',
      { slug: 'a-{}', description: '{}', each: 'large' },
      'INVALID_ARGUMENT: "large" has more than 8',
    ],
    [
      'a flight',
      'spawn',
      { flight: 'large.md' },
      'INVALID_ARGUMENT: flight "large.md" cannot be read: it has too many',
    ],
  ])('gets the limit of %s as error, and the read ends there', async (_, tool, input, text) => {
    // Sparse files.
    truncateSync(write('large', ''), 1024 ** 3);
    truncateSync(write('.murmur/flights/large.md', ''), 1024 ** 3);
    const before = (await api.parts.objects.list('')).length;
    const refused = await agent.call(tool, input);
    expect(textOf(refused).slice(0, text.length)).toBe(text);
    await until(() => readers.size === 0);
    expect(await api.parts.objects.list('')).toHaveLength(before);
  });

  test('that disconnects ends the read, also while its file is being stored', async () => {
    truncateSync(write('slow', ''), 1024 ** 3);
    const reading = Promise.withResolvers<void>();
    const stored = Promise.withResolvers<void>();
    const { putStream } = api.parts.objects;
    Object.assign(api.parts.objects, {
      putStream: async (_key: string, source: AsyncIterable<Uint8Array>) => {
        for await (const _piece of source) {
          reading.resolve();
          await stored.promise;
        }
      },
    });
    try {
      const going = await mcpOf(AGENT);
      going.call('upload', { filename: 'a', path: 'slow' }).catch(() => undefined);
      await reading.promise;
      expect(readers.size).toBe(1);
      await going[Symbol.asyncDispose]();
      await until(() => readers.size === 0);
    } finally {
      stored.resolve();
      Object.assign(api.parts.objects, { putStream });
    }
  });
});

test.each<[string, Record<string, unknown>, string]>([
  ['upload', { filename: 'a', path: '/etc/hostname' }, 'path'],
  ['spawn', { slug: 'a-{}', description: '{}', each: '/etc/hostname' }, 'each'],
  ['spawn', { flight: 'deploy.md' }, 'flight'],
])('a person gets the error that %s cannot read their file, with a hint', async (tool, input, field) => {
  const refused = await person.call(tool, input);
  expect(refused.isError).toBe(true);
  expect(textOf(refused)).toBe(
    `FAILED_PRECONDITION: over HTTP the server cannot see your file that \`${field}\` names\n` +
      'hint: register the server over stdio, where your files are: `claude mcp add murmur -- murmur mcp`',
  );
});

describe('a machine that cannot be used', () => {
  const UPLOAD = { filename: 'a', path: 'a' };

  const agentOn = (name: string): string => `w/default/u/alice/on-${name}`;

  async function answerOn(name: string): Promise<string> {
    const identity = agentOn(name);
    known.agents.set(identity, { machine: name });
    await using mcp = await mcpOf(identity);
    const refused = await mcp.call('upload', UPLOAD);
    expect(refused.isError).toBe(true);
    return textOf(refused);
  }

  test('causes UNAVAILABLE when it is gone, when it is stopped, and when it has no runner', async () => {
    await machines.create({ name: 'murmur-0000000a', labels: { agent: agentOn('murmur-0000000a') } }, creation());
    await machines.create({ name: 'murmur-0000000b', labels: { agent: agentOn('murmur-0000000b') } }, creation());
    await machines.stop('murmur-0000000b');
    for (const name of ['murmur-0000000a', 'murmur-0000000b', 'murmur-0000000c']) {
      expect(await answerOn(name)).toBe(
        `UNAVAILABLE: the runner on machine ${name} did not answer; the file was not read\n` +
          'hint: try again in a moment: a machine that is lost is replaced',
      );
    }
  });

  test("is rejected when it belongs to another agent, even if the workflow's memo names it", async () => {
    expect(await answerOn(MACHINE)).toBe(
      `PERMISSION_DENIED: machine ${MACHINE} was not made for agent "/${agentOn(MACHINE)}"`,
    );
    await machines.create(
      { name: 'murmur-0000000e', labels: { agent: agentOn('murmur-0000000e'), spawn: 'earlier' } },
      creation(),
    );
    expect(await answerOn('murmur-0000000e')).toContain('was not made for agent');
  });

  test('causes an error when it stops sending', async () => {
    const name = 'murmur-0000000d';
    const silent = createServer((request, response) => {
      if (hasProved(request, response, 'x') || request.url !== '/health') return;
      response.end(JSON.stringify({ protocol: 1, machine: name, pid: 1 }));
    }).listen(0, '127.0.0.1');
    try {
      await machines.create({ name, labels: { agent: agentOn(name) } }, creation());
      const machine = await machines.connect(name);
      await until(() => silent.listening);
      const { port } = silent.address() as AddressInfo;
      await machine.put(join(machine.paths.runner, 'address.json'), JSON.stringify({ port, token: 'x' }));
      expect(await answerOn(name)).toBe('UNAVAILABLE: reading "a" takes too long\nhint: try it again');
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });
});

test('only upload and spawn have fields that name files: others would have to be handled here', () => {
  const local = Object.values(operations).flatMap(({ name, ...rest }) => ('local' in rest ? [[name, rest.local]] : []));
  expect(local).toEqual([
    ['spawn', ['each', 'flight', 'flight_inputs']],
    ['upload', ['path']],
  ]);
});
