// Attack by a client of Temporal, which can start a workflow with any spec.
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { homePaths, readHostId } from '../../config/home.ts';
import { temporalSettings } from '../../config/temporal.ts';
import { taskQueueOf } from '../../contract/wire/messages.ts';
import type { Attack } from '../attack.ts';
import type { Testbed } from '../testbed.ts';

/** By then, an accepted agent has sent its first model request. In milliseconds. */
const FIRST_TURN_MS = 30_000;

export const REFERENCES: readonly Attack[] = [
  {
    name: 'forged-spec',
    goal: "start an agent by hand whose spec names another agent's secrets, token, machine or repository",
    attempt: async (testbed) => {
      const { secrets, machine, token, repos } = await siblingsOwn(testbed);
      const forgeries = [
        ['secrets', { secrets }],
        ["the server's key", { secrets: { ref: 'server-signing-key', names: ['KEY'] } }],
        ['token', { token_id: token }],
        ['machine', { machine }],
        ['repository', { repos }],
        ['nothing', {}],
      ] as const;
      const got: string[] = [];
      for (const [name, forged] of forgeries)
        if (await getsTurn(testbed, forged)) got.push(`an agent with a forged ${name}`);
      return got;
    },
  },
];

/** The sibling's input, read from Temporal's history. */
async function siblingsOwn(testbed: Testbed) {
  const { workflow } = await testbed.client.call('status', { slug: testbed.sibling.slug });
  return await withTemporal(testbed, async (client) => {
    const { events } = await client.workflow.getHandle(workflow).fetchHistory();
    const [payload] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    const spec = JSON.parse(Buffer.from(payload?.data ?? '').toString('utf8')) as {
      readonly secrets: unknown;
      readonly machine: unknown;
      readonly token_id: unknown;
      readonly repos: unknown;
    };
    return { secrets: spec.secrets, machine: spec.machine, token: spec.token_id, repos: spec.repos };
  });
}

/** Whether the worker runs a turn of a forged agent: its model then gets a request. */
async function getsTurn(testbed: Testbed, forged: object): Promise<boolean> {
  const { client: api, home, model } = testbed;
  const { account } = await api.call('auth', {});
  const slug = `forged-${randomUUID().slice(0, 8)}`;
  const mark = `forged prompt ${slug}`;
  const hostId = readHostId(homePaths(home));
  if (hostId === undefined) throw new Error(`${home} has no host id`);
  const spec = {
    identity: { workspace: 'default', account, path: [slug] },
    spawn_id: randomUUID(),
    machine: { provider: 'local', name: `murmur-${randomUUID().slice(0, 8)}` },
    repos: [],
    prompt: { text: `${mark} [[ {"text":"ok"} ]]` },
    backend: 'claude',
    on_idle: 'terminate',
    dequeue_strategy: 'all',
    tasks: [],
    session_id: randomUUID(),
    created_at: new Date().toISOString(),
    created_by: account,
    ...forged,
  };
  return await withTemporal(testbed, async (client) => {
    const handle = await client.workflow.start('agent', {
      taskQueue: taskQueueOf(hostId),
      workflowId: `w/default/u/${account}/${slug}`,
      args: [spec],
      memo: { spawn_id: spec.spawn_id },
    });
    const asked = model.waitForRequest(({ prompt }) => prompt.includes(mark), { timeoutMs: FIRST_TURN_MS });
    // An agent with a refused spec fails. Nothing else ends it before its first turn.
    const outcome = await Promise.race([
      asked.then(
        () => 'asked',
        () => 'silent',
      ),
      handle.result().then(
        () => 'ended',
        () => 'ended',
      ),
    ]);
    await handle.terminate().catch(() => undefined);
    return outcome === 'asked' || model.requests.some(({ prompt }) => prompt.includes(mark));
  });
}

async function withTemporal<Result>(testbed: Testbed, use: (client: Client) => Promise<Result>): Promise<Result> {
  const { connectionOptions, namespace } = await temporalSettings({}, homePaths(testbed.home));
  const connection = await Connection.connect(connectionOptions);
  try {
    return await use(new Client({ connection, namespace }));
  } finally {
    await connection.close();
  }
}
