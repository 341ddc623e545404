// The fixture of the backends' conformance tests: a session in temporary folders, its events, and the processes that it
// must end. For tests only.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentBackend, AgentSession, BackendEvent, BackendTurn, BackendTurnEnd, OpenSession } from './backend.ts';

/** A request to a model. */
export interface AskedModel {
  readonly system: string;
  readonly messages: readonly { readonly role: string; readonly text: string }[];
}

/** A step of a script in which the model calls a tool. */
export interface ToolStep {
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** A kind of tool that every program has. */
export interface ProgramTool<Arguments extends readonly string[]> {
  /** The tool's name in events. */
  readonly name: string;
  /** The script step that calls it. */
  readonly step: (...input: Arguments) => ToolStep;
}

/** The tools of a program, by purpose. */
export interface ProgramTools {
  readonly shell: ProgramTool<[command: string]>;
  /** Writes this content to a new or existing file. */
  readonly edit: ProgramTool<[path: string, content: string]>;
  readonly read: ProgramTool<[path: string]>;
  /** Whether a tool of this name can write, execute or communicate. */
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
  /** What a program that is killed during a write leaves at the end of its transcript. */
  readonly tornLine: string;
  /** Names of the tools in the last model request; empty for a backend that cannot report them. */
  offered(): readonly string[];
  /** Ends the program of a session at once, as `kill -9` does. */
  kill(session: AgentSession): void;
  stop(): Promise<void>;
}

/** Time for one test: several cold starts of a program on a busy machine. */
export const TEST_MS = 180_000;

/** A cold program on two slow cores that other tests share. */
const BOUND_MS = 60_000;

/** Waits for a condition. Throws an error that names it after the time limit. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + BOUND_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited ${BOUND_MS} ms for ${what}`);
    await delay(20);
  }
}

/** Whether the process is running. A zombie is not. */
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

/** The folders of one agent and the sessions that were opened in them. */
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
   * Opens the session. After the first one has ended, resumes it by its reported id. A new session gets a requested id,
   * which the program may ignore.
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

  /** Runs a turn and adds its events to `events`. */
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

  /** A prompt whose tool never ends. It writes its pid and that of a child process to files. */
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

/** The last model request. Throws when there was none. */
export function lastAsked(harness: BackendHarness): AskedModel {
  const last = harness.asked().at(-1);
  if (last === undefined) throw new Error('the model was not asked');
  return last;
}

/** A prompt with these steps. */
export function script(...steps: readonly object[]): string {
  return `do it [[ ${steps.map((step) => JSON.stringify(step)).join(', ')} ]]`;
}
