// A machine in its own folder, and a process that holds its isolation.
import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { MachineLimits } from '../../../contract/wire/machine-limits.ts';
import type { IsolationSpec } from '../../../contract/wire/isolation.ts';
import type { HolderRequest, ProgramEnd } from './holder.ts';

/** Long, because the suite runs with others on few cores. */
const LIMIT_MS = 30_000;

export interface MachineOptions {
  readonly kind: IsolationSpec['kind'];
  /** User of the holder, if it is not the test's. */
  readonly holderUid?: number;
  readonly agentUid?: number;
  /** Parent of the folder; the system's temporary folder unless given. */
  readonly parent?: string;
  readonly keep?: readonly string[];
  /** Hidden paths besides the folder that stands for MURMUR_HOME. */
  readonly hide?: readonly string[];
  readonly show?: readonly string[];
  readonly limits?: MachineLimits;
  /** A folder whose open descriptor the holder inherits, as 200. */
  readonly inherits?: string;
  /** A program that replaces /bin/sh for the holder and its descendants. Root only. */
  readonly shell?: string;
}

export class HeldMachine {
  readonly home: string;
  readonly paths: IsolationSpec['paths'];
  readonly #options: MachineOptions;
  readonly #holders: ChildProcess[] = [];
  readonly #answers = new Map<number, PromiseWithResolvers<unknown>>();
  #count = 0;

  private constructor(home: string, options: MachineOptions) {
    this.home = home;
    this.#options = options;
    const of = (name: string): string => join(home, 'machines', 'murmur-1', name);
    this.paths = { home: of('home'), work: of('work'), run: of('run'), isolation: of('isolation') };
  }

  /** Creates a folder like MURMUR_HOME with a token, another machine, and one machine with a running holder. */
  static async create(options: MachineOptions): Promise<HeldMachine> {
    const home = await mkdtemp(join(await realpath(options.parent ?? tmpdir()), 'murmur-held-'));
    const machine = new HeldMachine(home, options);
    const other = join(home, 'machines', 'murmur-2', 'work');
    await mkdir(other, { recursive: true });
    await writeFile(join(other, 'note'), 'secret of another');
    await chmod(join(other, 'note'), 0o666);
    await writeFile(join(home, 'token'), 'secret of the owner');
    const { home: agentHome, work, run } = machine.paths;
    for (const folder of [agentHome, work, run]) {
      await mkdir(folder, { recursive: true });
      if (options.agentUid !== undefined && folder !== run) await chown(folder, options.agentUid, options.agentUid);
    }
    await chmod(run, 0o711);
    if (options.holderUid !== undefined) await promisify(execFile)('chown', ['-R', String(options.holderUid), home]);
    machine.hold();
    return machine;
  }

  /** Starts a holder. Requests go to the last one. */
  hold(): void {
    const { kind, agentUid, holderUid, keep = [], hide = [], show, limits, shell, inherits } = this.#options;
    const spec: IsolationSpec = {
      kind,
      machine: `murmur-held-${process.pid}-${this.home.slice(-6)}`,
      paths: this.paths,
      hide: [this.home, ...hide],
      keep,
      ...(show === undefined ? {} : { show }),
      ...(limits === undefined ? {} : { limits }),
      ...(agentUid === undefined ? {} : { uid: agentUid }),
    };
    const command = [process.execPath, join(import.meta.dirname, 'holder.ts'), JSON.stringify(spec)];
    const [file = '', ...args] = [
      ...(shell === undefined ? [] : withShell(shell)),
      ...(holderUid === undefined ? [] : asUser(holderUid)),
      ...(inherits === undefined ? [] : ['bash', '-c', 'exec 200<"$0"; exec "$@"', inherits]),
      ...command,
    ];
    const holder = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/' });
    this.#holders.push(holder);
    createInterface({ input: holder.stdout }).on('line', (line) => {
      const { id, value, error } = JSON.parse(line) as { id: number; value?: unknown; error?: string };
      if (error === undefined) this.#answers.get(id)?.resolve(value);
      else this.#answers.get(id)?.reject(new Error(error));
    });
  }

  /** Kills the holder with -9 and waits until it is gone. */
  async killHolder(): Promise<void> {
    const holder = this.#holders.at(-1);
    if (holder === undefined || holder.exitCode !== null || holder.signalCode !== null) return;
    const exit = once(holder, 'exit');
    holder.kill('SIGKILL');
    await exit;
  }

  async ask<Answer>(request: HolderRequest): Promise<Answer> {
    const id = (this.#count += 1);
    const answer = Promise.withResolvers<unknown>();
    this.#answers.set(id, answer);
    this.#holders.at(-1)?.stdin?.write(`${JSON.stringify({ id, request })}\n`);
    const late = delay(LIMIT_MS, undefined, { ref: false }).then(() => {
      throw new Error(`no answer to ${JSON.stringify(request)} within ${LIMIT_MS} ms`);
    });
    return (await Promise.race([answer.promise, late])) as Answer;
  }

  start(
    command: readonly string[],
    env: Readonly<Record<string, string>> = {},
    cwd = this.paths.work,
  ): Promise<number> {
    return this.ask<number>({ op: 'start', command, cwd, env });
  }

  /** Runs a shell script to its end. */
  async run(
    script: string,
    options: { cwd?: string; input?: string; env?: Record<string, string> } = {},
  ): Promise<ProgramEnd> {
    const pid = await this.start(['sh', '-c', script], options.env, options.cwd);
    await this.ask({ op: 'input', pid, text: options.input ?? '' });
    return this.ask<ProgramEnd>({ op: 'end', pid });
  }

  /** Ends everything, also processes of a failed test. */
  async remove(): Promise<void> {
    await this.killHolder();
    this.hold();
    await this.ask({ op: 'endAll' });
    await this.killHolder();
    await rm(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Prefix of a command that runs it as another user. */
function asUser(uid: number): readonly string[] {
  return ['setpriv', '--reuid', String(uid), '--regid', String(uid), '--clear-groups', '--'];
}

/** Prefix of a command that runs it with another program as /bin/sh. */
function withShell(shell: string): readonly string[] {
  return ['unshare', '--mount', '--', shell, '-c', 'mount --bind "$0" "$(readlink -f /bin/sh)" && exec "$@"', shell];
}

/** Whether that user can access node and the sources, which may be in a private folder. */
export async function canRunAs(uid: number): Promise<boolean> {
  const [file = '', ...args] = [...asUser(uid), process.execPath, '--check', join(import.meta.dirname, 'holder.ts')];
  return promisify(execFile)(file, args, { cwd: '/' }).then(
    () => true,
    () => false,
  );
}

/** A unique command line. */
export function uniqueSleep(): string {
  return `sleep ${String(100_000_000 + Math.floor(Math.random() * 899_999_999))}`;
}

/** The number of running processes with this command line, without zombies. */
export async function countRunning(command: string): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'stat=,args='], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.split('\n').filter((line) => !line.startsWith('Z') && line.replace(/^\S+\s+/, '').trim() === command)
    .length;
}

/** Waits for this count. Throws with the last count after the time limit. */
export async function untilRunning(command: string, count: number): Promise<void> {
  for (const end = Date.now() + LIMIT_MS; ;) {
    const found = await countRunning(command);
    if (found === count) return;
    if (Date.now() > end) throw new Error(`${found} processes run ${command}, not ${count}`);
    await delay(10);
  }
}
