// Drives the agent program directly by lines on its pipes. Imports Node built-ins and the clock only.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { now } from '../clock.ts';
import { end } from '../laboratory/processes.ts';

export interface BareClaudeOptions {
  readonly program: string;
  readonly cwd: string;
  /** An empty directory. */
  readonly home: string;
  readonly modelUrl: string;
}

export interface BareClaude {
  /** Writes a user line. Resolves when the turn has ended. */
  turn(text: string): Promise<TurnEnd>;
  /** Resolves with the time at which the program printed a line that contains this text. */
  printed(text: string): Promise<number>;
  /** Interrupts the turn, whose promise resolves at its end. */
  interrupt(): void;
  /** Requests the program's capabilities. Resolves when it answers, so it is ready. */
  ready(): Promise<void>;
  stop(): Promise<void>;
}

export interface TurnEnd {
  readonly at: number;
  readonly interrupted: boolean;
}

interface Line {
  readonly type: string;
  readonly terminal_reason?: string;
  readonly response?: { readonly request_id: string };
}

/** Starts the program, which prints nothing before it gets the first line. */
export function startBareClaude({ program, cwd, home, modelUrl }: BareClaudeOptions): BareClaude {
  const child = spawn(program, ARGUMENTS, { cwd, env: environment(home, modelUrl), stdio: ['pipe', 'pipe', 'ignore'] });
  const waiting = new Set<(line: Line, raw: string) => void>();
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  // A rejection that nobody awaits must not end the process.
  failed.catch(() => undefined);
  const next = <T>(read: (line: Line, raw: string) => T | undefined) => {
    const found = new Promise<T>((resolve) => {
      const look = (line: Line, raw: string) => {
        const value = read(line, raw);
        if (value === undefined) return;
        waiting.delete(look);
        resolve(value);
      };
      waiting.add(look);
    });
    return Promise.race([found, failed]);
  };
  createInterface({ input: child.stdout }).on('line', (raw) => {
    const line = JSON.parse(raw) as Line;
    for (const look of [...waiting]) look(line, raw);
  });
  const write = (line: object) => child.stdin.write(`${JSON.stringify(line)}\n`);
  const control = (request: object) => {
    const id = randomUUID();
    write({ type: 'control_request', request_id: id, request });
    return next((line) => (line.response?.request_id === id ? true : undefined));
  };

  return {
    turn: (text) => {
      const ended = next((line) => (line.type === 'result' ? endOf(line) : undefined));
      const message = { role: 'user', content: [{ type: 'text', text }] };
      write({ type: 'user', message, parent_tool_use_id: null, uuid: randomUUID(), client_composed: true });
      return ended;
    },
    printed: (text) => next((line, raw) => (line.type === 'assistant' && raw.includes(text) ? now() : undefined)),
    interrupt: () => void control({ subtype: 'interrupt', cancel_queued: true }).catch(() => undefined),
    ready: async () => void (await control({ subtype: 'initialize' })),
    stop: () => end(child),
  };
}

function endOf(line: Line): TurnEnd {
  return { at: now(), interrupted: line.terminal_reason?.startsWith('aborted') ?? false };
}

const ARGUMENTS = [
  ...['-p', '--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose'],
  ...['--permission-mode', 'bypassPermissions', '--setting-sources', '', '--strict-mcp-config'],
  ...['--system-prompt-snapshot', 'off'],
];

function environment(home: string, modelUrl: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: home,
    // For root, the program accepts bypassPermissions only if this says that it is in a sandbox.
    IS_SANDBOX: '1',
    ANTHROPIC_BASE_URL: modelUrl,
    ANTHROPIC_API_KEY: 'key-of-no-account',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
    CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS: '1',
    ENABLE_TOOL_SEARCH: 'false',
  };
}
