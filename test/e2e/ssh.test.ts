// The main job on a host that is reached by ssh: Debian's sshd in its own namespaces, with the real runner and Claude
// Code. The scripted model runs on this host.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { openSshConnection } from '../../drivers/machines/ssh/connection.ts';
import { Commands } from '../../drivers/machines/ssh/exec.ts';
import { startSshHost, sshHostProblem } from '../fixtures/ssh-machines/ssh-host.ts';
import type { SshHost } from '../fixtures/ssh-machines/ssh-host.ts';
import { bash, heldCommand, machineOf, scripted, settled, statusOf } from './fixtures/agent.ts';
import { clientOf } from './fixtures/client.ts';
import { expectWholeLog, ofType } from './fixtures/log.ts';
import { eventually, startStack, type TestStack } from './fixtures/stack.ts';

const missing = sshHostProblem();
if (missing !== undefined) console.warn(`no host is reached by ssh in these tests: ${missing}`);

/** A repository of the host's login, as its git reaches it. */
const REPO = 'ssh://builder@127.0.0.1/home/builder/origin.git';

(missing === undefined ? describe : describe.skip)('agents on a host that is reached by ssh', () => {
  let host: SshHost;
  let entrance: Server;
  let stack: TestStack;
  beforeAll(async () => {
    host = await startSshHost();
    entrance = createServer((outside) => {
      void host.dial(22).then((inside) => {
        for (const [from, to] of [
          [outside, inside],
          [inside, outside],
        ] as const) {
          from.on('error', () => to.destroy()).on('close', () => to.destroy());
          from.pipe(to);
        }
      });
    }).listen(0, '127.0.0.1');
    await once(entrance, 'listening');
    await onHost(SETUP);
    stack = await startStack({ up: false });
    await mkdir(stack.home, { recursive: true, mode: 0o700 });
    const settings = {
      host: '127.0.0.1',
      port: (entrance.address() as AddressInfo).port,
      user: 'builder',
      key_file: host.keyFile,
      host_key: `${host.hostKey.type} ${host.hostKey.blob.toString('base64')}`,
    };
    await writeFile(
      join(stack.home, 'murmur.yaml'),
      JSON.stringify({ environment: { provider: 'ssh', hosts: [settings] } }),
    );
    await stack.murmur(['up']);
  }, 180_000);
  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
    entrance.close();
    await host[Symbol.asyncDispose]();
  }, 120_000);

  /** The output of a script that runs on the host, as the login. */
  async function onHost(script: string): Promise<string> {
    const connection = await openSshConnection(host.target('builder'), AbortSignal.timeout(20_000));
    try {
      const asked = { command: 'bash', args: ['-c', script], cwd: '/home/builder', env: {} };
      const { exitCode, stdout, stderr } = await new Commands(connection).run(asked, { timeoutMs: 20_000 });
      if (exitCode !== 0) throw new Error(`${script} failed on the host: ${stderr}`);
      return stdout;
    } finally {
      connection.close();
    }
  }
  async function spawn(slug: string, description: string): Promise<void> {
    const client = await clientOf(stack);
    await client.call('spawn', { slug, description, repos: [{ clone_url: REPO, base_branch: 'main' }] });
  }
  const machines = (): string => join(host.homeOf('builder'), '.murmur', 'machines');
  async function begun(slug: string, name: string): Promise<() => Promise<void>> {
    const work = join(machines(), await machineOf(stack, slug), 'work', 'origin');
    await eventually('the command begins', () => existsSync(join(work, `${name}.began`)));
    return () => writeFile(join(work, `${name}.gate`), '');
  }
  const asked = (text: string) => stack.model.requests.filter(({ prompt }) => prompt.includes(text));

  it('an agent on the host clones, commits and pushes, and has its Murmur tools', async () => {
    const prompt = scripted(
      'Add a note.',
      bash('echo note > note.txt && git add note.txt && git commit -m "Add a note"'),
      bash('git push origin HEAD'),
      bash('murmur status | head -3; hostname; id -un'),
      { text: 'The note is pushed.' },
    );
    await spawn('add-note', prompt);
    const status = await settled(stack, 'add-note');
    expect(status).toMatchObject({ phase: 'idle', response: 'The note is pushed.', commits: 1 });
    expect(status.vm).toMatchObject({ provider: 'ssh' });
    const branch = (await statusOf(stack, 'add-note')).branches[0]?.branch ?? '';
    expect(await onHost(`git -C origin.git log --format=%s ${branch} | head -1`)).toBe('Add a note\n');
    const last = stack.model.requests.findLast(({ step }) => step === 3);
    expect(last?.toolResults.map(({ text }) => text).join('\n')).toContain('add-note');
  }, 120_000);

  it('a follow-up reaches the same conversation, and an interrupt ends the command on the host', async () => {
    const client = await clientOf(stack);
    const held = scripted('Work long.', bash('echo kept > kept.txt'), bash(heldCommand('long')), { text: 'no' });
    await client.call('queue_add', { slug: 'add-note', description: held });
    await begun('add-note', 'long');
    const next = scripted('What is there?', bash('cat kept.txt'), { text: 'ok' });
    await client.call('queue_add', { slug: 'add-note', description: next });
    await client.call('interrupt', { slug: 'add-note' });
    expect(await settled(stack, 'add-note')).toMatchObject({ response: 'ok', turn: { number: 3 } });
    const conversation = asked('What is there?')
      .at(-1)
      ?.messages.map(({ text }) => text)
      .join('\n');
    expect(conversation).toContain('Add a note.');
    expect(await onHost('pgrep -f "long[.]gate" || true')).toBe('');
  }, 120_000);

  it.each([
    ['kill -9 of the worker', killWorker],
    ['a link that dies in silence', () => host.freezeLinks()],
  ] as const)(
    '%s: the turn goes on there, and is followed again',
    async (name, break_) => {
      const job = name.replaceAll(/[^a-z]/g, '');
      const steps = [bash(`echo once >>${job}.txt; ${heldCommand(job)}; cat ${job}.txt`), { text: `${job} is done` }];
      await (
        await clientOf(stack)
      ).call('queue_add', { slug: 'add-note', description: scripted(`Job ${job}.`, ...steps) });
      const release = await begun('add-note', job);
      await break_();
      await release();
      expect(await settled(stack, 'add-note')).toMatchObject({ phase: 'idle', response: `${job} is done` });
      const requests = asked(`Job ${job}.`);
      expect(requests.map(({ step }) => step)).toEqual([0, 1]);
      expect(requests[1]?.toolResults[0]?.text.match(/once/g)).toHaveLength(1);
      const entries = await expectWholeLog(stack, 'add-note', machines());
      expect(ofType(entries, 'turn_complete').at(-1)).toMatchObject({ status: 'completed' });
    },
    120_000,
  );

  it('kill leaves nothing on the host', async () => {
    expect(await stack.murmur(['kill', 'add-note'])).toContain('killed add-note');
    expect((await readdir(machines())).filter((name) => name.startsWith('murmur-'))).toEqual([]);
    expect(await onHost('pgrep -u builder -f "opt/[c]laude" || true')).toBe('');
  }, 120_000);

  async function killWorker(): Promise<void> {
    const { children } = await stack.record();
    process.kill(children.worker?.pid ?? 0, 'SIGKILL');
    await eventually('the worker is started again', async () => {
      const record = await stack.record();
      return record.state === 'ready' && record.children.worker?.pid !== children.worker?.pid;
    });
  }
});

/** Creates a repository of the login, and a key with which its git can log in to its own host. */
const SETUP = `
set -e
mkdir -p .ssh && chmod 700 .ssh
cp /mnt/user_key .ssh/id_ed25519 && chmod 600 .ssh/id_ed25519
echo "127.0.0.1 $(cut -d' ' -f1,2 /mnt/host_key.pub)" >.ssh/known_hosts
git config --global user.name Builder && git config --global user.email builder@example.com
git init -q --bare -b main origin.git
git clone -q origin.git first && cd first
git commit -q --allow-empty -m 'First commit' && git push -q origin HEAD:main
`;
