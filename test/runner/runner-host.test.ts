// Which runners a process serves, and when it exits. The test controls when the stand-in runners start and stop.
import { afterAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunnerHost } from '../../runner/runner-host.ts';
import type { ServedRunner } from '../../runner/serve.ts';

class Stand {
  readonly host = new RunnerHost(async (directory, env) => {
    this.started.push(directory);
    this.lastEnv = env;
    await this.gate;
    return this.#served(directory);
  });
  readonly started: string[] = [];
  readonly stopped: string[] = [];
  lastEnv: NodeJS.ProcessEnv | undefined;
  gate: Promise<void> = Promise.resolve();
  hasEnded = false;

  constructor() {
    void this.host.stopped.then(() => (this.hasEnded = true));
  }

  #served(directory: string): ServedRunner {
    const ending = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = async (): Promise<void> => {
      this.stopped.push(directory);
      ending.abort();
      resolve();
      await promise;
    };
    return { port: 1, token: '', ending: ending.signal, stopped: promise, stop };
  }
}

const root = mkdtempSync(join(tmpdir(), 'murmur-hosts-'));
afterAll(() => rmSync(root, { recursive: true }));

/** The folder of a new runner. */
function directory(): string {
  const folder = join(root, randomUUID(), 'runner');
  mkdirSync(folder, { recursive: true });
  return folder;
}

const env = { PATH: '/bin' };
const request = (of: string) => ({ directory: of, env, request_id: randomUUID() });

describe('a process that serves runners', () => {
  it('starts a runner once, with the environment of its request', async () => {
    const stand = new Stand();
    const one = directory();
    await Promise.all([stand.host.serve(request(one)), stand.host.serve(request(one))]);
    expect(stand.started).toEqual([one]);
    expect(stand.lastEnv).toEqual(env);
    await stand.host.stop();
  });

  it('rejects a machine that another process serves', async () => {
    const [first, second] = [new Stand(), new Stand()];
    const [one, two] = [directory(), directory()];
    await Promise.all([first.host.serve(request(one)), second.host.serve(request(two))]);
    await expect(second.host.serve(request(one))).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(second.started).toEqual([two]);
    await Promise.all([first.host.stop(), second.host.stop()]);
  });

  it('stops a runner that is dropped while it starts, and ends with it', async () => {
    const stand = new Stand();
    const gate = Promise.withResolvers<void>();
    stand.gate = gate.promise;
    const one = directory();
    const serving = stand.host.serve(request(one));
    const dropping = stand.host.drop(request(one));
    expect(stand.stopped).toEqual([]);
    gate.resolve();
    await Promise.all([serving, dropping]);
    expect(stand.stopped).toEqual([one]);
    await stand.host.stopped;
  });

  it('does not start a runner whose request was dropped before it arrived, but starts it for a new request', async () => {
    const stand = new Stand();
    const [one, other] = [directory(), directory()];
    await stand.host.serve(request(other));
    const late = request(one);
    await stand.host.drop(late);
    await expect(stand.host.serve(late)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(stand.started).toEqual([other]);
    await stand.host.serve(request(one));
    expect(stand.started).toEqual([other, one]);
    await stand.host.stop();
  });

  it('keeps running while it has another runner, and accepts none after the last one', async () => {
    const stand = new Stand();
    const [one, two, three] = [directory(), directory(), directory()];
    await Promise.all([stand.host.serve(request(one)), stand.host.serve(request(two))]);
    await stand.host.drop(request(one));
    // The machine can return, as after a stop and a start.
    await stand.host.serve(request(one));
    expect(stand.started).toEqual([one, two, one]);
    expect(stand.hasEnded).toBe(false);
    await Promise.all([stand.host.drop(request(one)), stand.host.drop(request(two))]);
    await stand.host.stopped;
    await expect(stand.host.serve(request(three))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('releases a machine whose runner does not start, so that another process can take it', async () => {
    const stand = new Stand();
    const one = directory();
    stand.gate = Promise.reject(new Error('no'));
    await expect(stand.host.serve(request(one))).rejects.toThrow('no');
    await stand.host.stopped;
    const other = new Stand();
    await other.host.serve(request(one));
    expect(other.started).toEqual([one]);
    await other.host.stop();
  });
});
