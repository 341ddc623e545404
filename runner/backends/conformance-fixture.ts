// What a conformance test of a backend stands on: a session in temporary folders, its events, and the processes that it
// must not leave behind. For tests only.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentBackend, AgentSession, BackendEvent, BackendTurn, BackendTurnEnd, OpenSession } from './backend.ts';

/** What a model was asked. */
export interface AskedModel {
  readonly system: string;
  readonly messages: readonly { readonly role: string; readonly text: string }[];
}

/** A step of a script in which the model calls a tool. */
export interface ToolStep {
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** One thing that every program has a tool for. */
export interface ProgramTool<Arguments extends readonly string[]> {
  /** The tool's name as events tell it. */
  readonly name: string;
  /** How a script asks for it. */
  readonly step: (...input: Arguments) => ToolStep;
}

/** The tools of a program, by what they do. */
export interface ProgramTools {
  readonly shell: ProgramTool<[command: string]>;
  /** Gives a file, which may be new, this content. */
  readonly edit: ProgramTool<[path: string, content: string]>;
  readonly read: ProgramTool<[path: string]>;
  /** Whether a tool of this name can change something, run something or reach somebody. */
  readonly isActing: (name: string) => boolean;
}

/** A backend with a model that plays the script in the prompt. */
export interface BackendHarness {
  readonly backend: AgentBackend;
  /** Environment of its sessions: PATH and credentials. */
  readonly env: Readonly<Record<string, string>>;
  /** Requests to the model so far, oldest first. */
  asked(): readonly AskedModel[];
  readonly tools: ProgramTools;
  /** What a program that is killed while it writes leaves at the end of its transcript. */
  readonly tornLine: string;
  /** Names of the tools that the model was offered last; empty for a backend that does not tell. */
  offered(): readonly string[];
  /** Ends the program of a session at once, as `kill -9` does. */
  kill(session: AgentSession): void;
  stop(): Promise<void>;
}

/** Time for one test: several cold starts of a program on a busy machine. */
export const TEST_MS = 180_000;

/** A cold program on two slow cores that other tests share. */
const BOUND_MS = 60_000;

/** Waits for a condition; throws, naming it, when it does not come true. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + BOUND_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited ${BOUND_MS} ms for ${what}`);
    await delay(20);
  }
}

/** Whether the process runs; one that has ended and is not yet collected does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return !existsSync('/proc/self/stat');
  }
}

/** Folders of one agent, and what was opened in them. */
export class SessionFixture {
  readonly home: string;
  readonly cwd: string;
  readonly runDir: string;
  readonly events: BackendEvent[] = [];
  readonly #root: string;
  readonly #harness: BackendHarness;
  readonly #sessions: AgentSession[] = [];
  #sessionId: string | undefined;

  private constructor(harness: BackendHarness, root: string) {
    this.#harness = harness;
    this.#root = root;
    this.home = join(root, 'home');
    this.cwd = join(root, 'work dir');
    this.runDir = join(root, 'run');
  }

  static async create(harness: BackendHarness): Promise<SessionFixture> {
    const fixture = new SessionFixture(harness, await mkdtemp(join(tmpdir(), 'murmur-backend-')));
    await Promise.all([fixture.home, fixture.cwd, fixture.runDir].map((folder) => mkdir(folder)));
    return fixture;
  }

  /**
   * Opens the session; again after the one before has ended, to resume it: by the id that it has told. A new one gets a
   * wish, which it need not heed.
   */
  async open(options: Partial<OpenSession> = {}): Promise<AgentSession> {
    const session = await this.#harness.backend.open({
      cwd: this.cwd,
      home: this.home,
      runDir: this.runDir,
      sessionId: (options.answer === undefined ? this.#sessionId : undefined) ?? randomUUID(),
      model: undefined,
      appendSystemPrompt: undefined,
      env: this.#harness.env,
      spawn: (command, args, { cwd, env }) => spawn(command, args, { cwd, env, stdio: 'pipe' }),
      ...options,
    });
    this.#sessions.push(session);
    if (options.answer === undefined) this.#sessionId = session.sessionId;
    return session;
  }

  /** Runs a turn; its events are added to `events`. */
  turn(
    session: AgentSession,
    prompt: string,
    options: Omit<BackendTurn, 'id' | 'prompt'> = {},
  ): Promise<BackendTurnEnd> {
    return session.turn({ id: randomUUID(), prompt, ...options }, (event) => this.events.push(event));
  }

  /** The events of one type. */
  eventsOf<T extends BackendEvent['type']>(type: T): readonly Extract<BackendEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<BackendEvent, { type: T }> => event.type === type);
  }

  /** A prompt whose tool writes its own pid and that of a process it starts into files, and never ends. */
  async endlessTool(): Promise<{ readonly prompt: string; readonly pids: () => readonly number[] }> {
    const command = 'tail -f /dev/null & echo $! > child.pid; echo $$ > shell.pid; wait';
    const files = ['child.pid', 'shell.pid'].map((name) => join(this.cwd, name));
    await Promise.all(files.map((file) => rm(file, { force: true })));
    const read = (file: string): number => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0);
    return {
      prompt: script({ text: 'working', ...this.#harness.tools.shell.step(command) }, { text: 'never said' }),
      pids: () => files.map(read).filter((pid) => pid > 0),
    };
  }

  /** A file in the working directory. */
  readWork(name: string): Promise<string> {
    return readFile(join(this.cwd, name), 'utf8');
  }

  /** Ends every session and removes the folders. */
  async remove(): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.stop()));
    await rm(this.#root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What the model was asked last; throws when it was asked nothing. */
export function lastAsked(harness: BackendHarness): AskedModel {
  const last = harness.asked().at(-1);
  if (last === undefined) throw new Error('the model was not asked');
  return last;
}

/** A prompt with these steps. */
export function script(...steps: readonly object[]): string {
  return `do it [[ ${steps.map((step) => JSON.stringify(step)).join(', ')} ]]`;
}
