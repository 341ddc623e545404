// Failures of the broker's socket and port, and of the processes that they start.
import { afterEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { once } from 'node:events';
import { Server, connect } from 'node:net';
import type { Socket } from 'node:net';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { BrokerAccess } from '../../../runner/broker/access.ts';
import { Broker } from '../../../runner/broker/broker.ts';
import { HttpCredentials } from '../../../runner/broker/http/credentials.ts';
import { GitProxy } from '../../../runner/broker/http/git-proxy.ts';
import { CallerGit } from '../../../runner/git/caller-git.ts';
import { atEnd, callerEnv, cleanUp, makeFolder } from '../fixture.ts';

afterEach(cleanUp);

function setup(folder: string, env: Record<string, string>) {
  const git = new CallerGit(env, 'murmur-00000000');
  const access = new BrokerAccess();
  const proxy = new GitProxy({ git, access, credentials: new HttpCredentials(git, () => undefined) });
  const broker = new Broker({ run: folder, runner: folder, user: undefined, git, access, proxy });
  atEnd(async () => {
    git.endAll();
    await broker.close();
  });
  return { git, access, proxy, broker };
}

function children(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap').length;
}

describe('a connection to the broker', () => {
  it('that closes before its ssh has started leaves no ssh process', async () => {
    const folder = makeFolder();
    const bin = path.join(folder, 'bin');
    const asked = path.join(folder, 'asked');
    mkdirSync(bin);
    execFileSync('mkfifo', [asked]);
    writeFileSync(path.join(bin, 'git'), `#!/bin/sh\nread line < '${asked}'\n`, { mode: 0o755 });
    writeFileSync(path.join(bin, 'ssh'), '#!/bin/sh\nexec sleep 1000\n', { mode: 0o755 });
    const { git, access, broker } = setup(folder, callerEnv(folder, { PATH: `${bin}:${process.env['PATH'] ?? ''}` }));
    access.serve(['git@forge.example:o/r'], [], []);
    await broker.listen();
    const before = children();
    const socket = connect(path.join(folder, 'git.sock'));
    socket.on('error', () => undefined);
    const args = ['git@forge.example', "git-upload-pack 'o/r'"];
    socket.write(`${JSON.stringify({ kind: 'ssh', args, protocol: '' })}\n`);
    // It opens when git is asked for its configuration.
    const answer = await open(asked, 'w');
    await broker.close();
    await answer.close();
    await git.config();
    // The broker goes on with what git has said: it may start ssh, and has to end it.
    for (let round = 0; round < 100; round += 1) await setImmediate();
    for (const end = Date.now() + 10_000; children() > before && Date.now() < end;) await setImmediate();
    expect(children()).toBe(before);
  });
});

describe('the connections to the broker of a machine', () => {
  it('are 64 at most, because each is a process of the owner; the next is refused with the reason', async () => {
    const folder = makeFolder();
    const bin = path.join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(path.join(bin, 'ssh'), '#!/bin/sh\nexec cat\n', { mode: 0o755 });
    const { access, broker } = setup(folder, callerEnv(folder, { PATH: `${bin}:${process.env['PATH'] ?? ''}` }));
    access.serve(['git@forge.example:o/r'], [], []);
    await broker.listen();
    const request = { kind: 'ssh', args: ['git@forge.example', "git-upload-pack 'o/r'"], protocol: '' };
    const ask = async (): Promise<{ readonly socket: Socket; readonly answer: string }> => {
      // Half open: it does not close its side when the broker has closed the other.
      const socket = connect({ path: path.join(folder, 'git.sock'), allowHalfOpen: true });
      socket.on('error', () => undefined);
      atEnd(async () => void socket.destroy());
      socket.write(`${JSON.stringify(request)}\nhello`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      return { socket, answer: answer.toString('utf8') };
    };
    const before = children();
    const open = await Promise.all(Array.from({ length: 64 }, ask));
    expect(open.every(({ answer }) => answer.endsWith('hello'))).toBe(true);
    const refused = await ask();
    expect(refused.answer).toContain('64 git commands of this machine use the broker');
    expect(children() - before).toBe(64);
    open[0]?.socket.destroy();
    for (let answer = ''; !answer.endsWith('hello');) ({ answer } = await ask());
  });
});

describe("the broker's port", () => {
  it('is opened by a later call when the host had no free file descriptor', async () => {
    const { proxy } = setup(makeFolder(), callerEnv('/nowhere'));
    const { listen } = Server.prototype;
    Server.prototype.listen = function (this: Server) {
      process.nextTick(() => this.emit('error', Object.assign(new Error('too many open files'), { code: 'EMFILE' })));
      return this;
    };
    atEnd(async () => void (Server.prototype.listen = listen));
    await expect(proxy.serve(['http://forge.example/r'])).rejects.toMatchObject({ code: 'EMFILE' });
    Server.prototype.listen = listen;
    expect(await proxy.serve(['http://forge.example/r'])).toMatchObject({ port: expect.any(Number) });
  });
});
