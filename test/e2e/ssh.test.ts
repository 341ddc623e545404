// The main job on a host that is reached by ssh: Debian's sshd in its own namespaces, with the real runner and Claude
// Code. The scripted model runs on this host.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { openSshConnection } from '../../drivers/machines/ssh/connection.ts';
import { Commands } from '../../drivers/machines/ssh/exec.ts';
import { serveHttpOrigin } from '../runner/broker/http-origin.ts';
import { cleanUp } from '../runner/fixture.ts';
import { startSshHost, sshHostProblem } from '../fixtures/ssh-machines/ssh-host.ts';
import type { SshHost } from '../fixtures/ssh-machines/ssh-host.ts';
import { bash, heldCommand, machineOf, scripted, settled, statusOf } from './fixtures/agent.ts';
import { clientOf } from './fixtures/client.ts';
import { expectWholeLog, ofType } from './fixtures/log.ts';
import { eventually, startStack, type TestStack } from './fixtures/stack.ts';

const missing = sshHostProblem();
if (missing !== undefined) console.warn(`no host is reached by ssh in these tests: ${missing}`);

const PASSWORD = 'correct-horse-battery';

(missing === undefined ? describe : describe.skip)('agents on a host that is reached by ssh', () => {
  let host: SshHost;
  let entrance: Server;
  let stack: TestStack;
  /** A repository that this side reaches with a password, and the host not at all. */
  let repo: string;
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
    stack = await startStack({ up: false });
    await execa('git', ['config', 'http.receivepack', 'true'], { cwd: stack.sample.origin });
    const { port } = await serveHttpOrigin(stack.directory, 'jane', PASSWORD);
    repo = `http://127.0.0.1:${String(port)}/price-list.git`;
    const caller = join(stack.directory, 'caller');
    await mkdir(caller);
    await writeFile(join(caller, '.git-credentials'), `http://jane:${PASSWORD}@127.0.0.1%3a${String(port)}\n`);
    await writeFile(
      join(caller, '.gitconfig'),
      '[credential]\n\thelper = store\n[user]\n\tname = Jane Doe\n\temail = jane@example.com\n',
    );
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
    // The Temporal binary stays where it is.
    const XDG_CACHE_HOME = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
    await stack.murmur(['up'], { env: { HOME: caller, XDG_CACHE_HOME } });
  }, 180_000);
  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
    entrance.close();
    await host[Symbol.asyncDispose]();
    await cleanUp();
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
    await client.call('spawn', { slug, description, repos: [{ clone_url: repo, base_branch: 'main' }] });
  }
  const machines = (): string => join(host.homeOf('builder'), '.murmur', 'machines');
  async function begun(slug: string, name: string): Promise<() => Promise<void>> {
    const work = join(machines(), await machineOf(stack, slug), 'work', 'price-list');
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
    const { stdout } = await execa('git', ['log', '-1', '--format=%an: %s', branch], { cwd: stack.sample.origin });
    expect(stdout).toBe('Jane Doe: Add a note');
    expect(await onHost(`grep -rl ${PASSWORD} /home/builder || true`)).toBe('');
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
