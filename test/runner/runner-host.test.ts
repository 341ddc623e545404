// Which runners a process serves, and when it exits. The test controls when the stand-in runners start and stop.
import { afterAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunnerHost, type RunnerHostOptions } from '../../runner/runner-host.ts';
import type { ServedRunner } from '../../runner/serve.ts';

class Fixture {
  readonly host: RunnerHost;
  readonly started: string[] = [];
  readonly stopped: string[] = [];
  lastEnv: NodeJS.ProcessEnv | undefined;
  gate: Promise<void> = Promise.resolve();
  hasEnded = false;

  constructor(options?: RunnerHostOptions) {
    this.host = new RunnerHost(async (directory, env) => {
      this.started.push(directory);
      this.lastEnv = env;
      await this.gate;
      return this.#served(directory);
    }, options);
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
  it('starts a runner once, with the environment that came with it', async () => {
    const fixture = new Fixture();
    const one = directory();
    await Promise.all([fixture.host.serve(request(one)), fixture.host.serve(request(one))]);
    expect(fixture.started).toEqual([one]);
    expect(fixture.lastEnv).toEqual(env);
    await fixture.host.stop();
  });

  it('leaves a machine alone that another process serves', async () => {
    const [first, second] = [new Fixture(), new Fixture()];
    const [one, two] = [directory(), directory()];
    await Promise.all([first.host.serve(request(one)), second.host.serve(request(two))]);
    await expect(second.host.serve(request(one))).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(second.started).toEqual([two]);
    await Promise.all([first.host.stop(), second.host.stop()]);
  });

  it('stops a runner that is dropped while it starts, and ends with it', async () => {
    const fixture = new Fixture();
    const gate = Promise.withResolvers<void>();
    fixture.gate = gate.promise;
    const one = directory();
    const serving = fixture.host.serve(request(one));
    const dropping = fixture.host.drop(request(one));
    expect(fixture.stopped).toEqual([]);
    gate.resolve();
    await Promise.all([serving, dropping]);
    expect(fixture.stopped).toEqual([one]);
    await fixture.host.stopped;
  });

  it('does not start a runner that was dropped before it was asked for, but starts it when asked again', async () => {
    const fixture = new Fixture();
    const [one, other] = [directory(), directory()];
    await fixture.host.serve(request(other));
    const late = request(one);
    await fixture.host.drop(late);
    await expect(fixture.host.serve(late)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(fixture.started).toEqual([other]);
    await fixture.host.serve(request(one));
    expect(fixture.started).toEqual([other, one]);
    await fixture.host.stop();
  });

  it('goes on while it has another, and takes none once it has none', async () => {
    const fixture = new Fixture();
    const [one, two, three] = [directory(), directory(), directory()];
    await Promise.all([fixture.host.serve(request(one)), fixture.host.serve(request(two))]);
    await fixture.host.drop(request(one));
    // It can come back, as a machine that was stopped and started.
    await fixture.host.serve(request(one));
    expect(fixture.started).toEqual([one, two, one]);
    expect(fixture.hasEnded).toBe(false);
    await Promise.all([fixture.host.drop(request(one)), fixture.host.drop(request(two))]);
    await fixture.host.stopped;
    await expect(fixture.host.serve(request(three))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('that is kept goes on without runners, and ends after the last one once it is released', async () => {
    const fixture = new Fixture({ kept: true });
    const [one, two, three] = [directory(), directory(), directory()];
    await fixture.host.serve(request(one));
    await fixture.host.drop(request(one));
    await fixture.host.serve(request(two));
    fixture.host.release();
    // Its last runner goes on, and another one may come while it does.
    await fixture.host.serve(request(three));
    await fixture.host.drop(request(two));
    expect(fixture.hasEnded).toBe(false);
    await fixture.host.drop(request(three));
    await fixture.host.stopped;
  });

  it('that is kept ends by itself once it has served nothing for a while', async () => {
    const fixture = new Fixture({ kept: true, idleMs: 1 });
    await fixture.host.stopped;
    await expect(fixture.host.serve(request(directory()))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const other = new Fixture({ kept: true, idleMs: 1 });
    const one = directory();
    const serving = other.host.serve(request(one)).then(() => other.host.drop(request(one)));
    await Promise.all([serving, other.host.stopped]);
  });

  it('that is kept ends at once when it is released and serves nothing', async () => {
    const fixture = new Fixture({ kept: true });
    fixture.host.release();
    await fixture.host.stopped;
  });

  it('gives a machine up when its runner does not start, so that another process can take it', async () => {
    const fixture = new Fixture();
    const one = directory();
    fixture.gate = Promise.reject(new Error('no'));
    await expect(fixture.host.serve(request(one))).rejects.toThrow('no');
    await fixture.host.stopped;
    const other = new Fixture();
    await other.host.serve(request(one));
    expect(other.started).toEqual([one]);
    await other.host.stop();
  });
});
