// An embedded stack in a temporary home, with the real Temporal server and stand-ins for worker and API server.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { loadConfig, type Config } from '../../config/config.ts';
import type { StackChild, StackRecord } from '../../contract/stack.ts';
import { down } from '../../stack/down.ts';
import { isRunning } from '../../stack/process.ts';
import { readRecord, writeRecord } from '../../stack/record.ts';
import { up, type UpOptions, type UpResult } from '../../stack/up.ts';

/** Starting Temporal takes a third of a second, but may take long with other tests on two slow cores. */
export const TEST_TIMEOUT_MS = 180_000;
const CONDITION_MS = 60_000;

const PROGRAMS = join(import.meta.dirname, 'programs');

export class StackHarness {
  readonly home: string;
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: string[] = [];
  #records: StackRecord[] = [];

  private constructor(home: string, config: Config, env: NodeJS.ProcessEnv) {
    this.home = home;
    this.config = config;
    this.env = env;
  }

  static async create(env: NodeJS.ProcessEnv = {}): Promise<StackHarness> {
    const home = await mkdtemp(join(tmpdir(), 'murmur-stack-'));
    const all = {
      ...process.env,
      TEMPORAL_ADDRESS: '',
      MURMUR_HOME: home,
      MURMUR_API_PORT: '0',
      MURMUR_TEMPORAL_PORT: '0',
      MURMUR_TEMPORAL_UI_PORT: '0',
      ...env,
    };
    return new StackHarness(home, await loadConfig(all, { cwd: home }), all);
  }

  options(change: Partial<UpOptions> = {}): UpOptions {
    return {
      config: this.config,
      env: this.env,
      version: '0.0.0-test',
      onProgress: (message) => this.progress.push(message),
      signal: new AbortController().signal,
      entries: { worker: join(PROGRAMS, 'worker', 'main.ts'), server: join(PROGRAMS, 'server', 'main.ts') },
      ...change,
    };
  }

  async up(change: Partial<UpOptions> = {}): Promise<UpResult> {
    const result = await up(this.options(change));
    this.#records.push(result.record);
    return result;
  }

  async down() {
    return down(this.config.home, (message) => this.progress.push(message));
  }

  async record(): Promise<StackRecord | undefined> {
    const record = await readRecord(this.config.home);
    if (record !== undefined) this.#records.push(record);
    return record;
  }

  /** Replaces the record, as if the supervisor had written another one. */
  async changeRecord(change: (record: StackRecord) => StackRecord): Promise<void> {
    const record = await this.record();
    if (record === undefined) throw new Error('there is no record');
    await writeRecord(this.config.home, change(record));
  }

  /** Kills a child with SIGKILL and resolves with the record of its replacement. */
  async killChild(name: StackChild): Promise<StackRecord> {
    const before = (await this.record())?.children[name];
    if (before === undefined) throw new Error(`no ${name} runs`);
    process.kill(before.pid, 'SIGKILL');
    return this.until(async () => {
      const record = await this.record();
      const now = record?.children[name];
      return now !== undefined && now.pid !== before.pid && (await isRunning(now)) ? record : undefined;
    });
  }

  async until<T>(find: () => Promise<T | undefined>): Promise<T> {
    const deadline = Date.now() + CONDITION_MS;
    for (;;) {
      const found = await find();
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Error('the condition did not come true');
      await delay(50);
    }
  }

  /** The processes of all observed records that are still running. */
  async survivors(): Promise<readonly number[]> {
    const all = this.#records.flatMap(({ children, supervisor }) => [supervisor, ...Object.values(children)]);
    const alive = await Promise.all(all.map(async (identity) => ((await isRunning(identity)) ? [identity.pid] : [])));
    return [...new Set(alive.flat())].filter((pid) => pid !== process.pid);
  }

  async remove(): Promise<void> {
    await this.record();
    await this.down();
    for (const pid of await this.survivors()) process.kill(pid, 'SIGKILL');
    await rm(this.home, { recursive: true, force: true });
  }
}
