// Arguments and environment with which Claude Code is started. Pure.
import { join } from 'node:path';
import type { McpServer, OpenSession } from '../backend.ts';

/**
 * How often the program itself retries a failed model request: it waits about 0.5, 1, 2 and 5 s. That covers a short
 * failure within the turn. A longer outage ends the turn with its reason: people see it, and Murmur's own back-off,
 * which survives restarts, continues. The program's default of 10 hides an outage for minutes.
 */
export const DEFAULT_MAX_RETRIES = 4;

/**
 * Tools that conflict with Murmur: they start turns by themselves (Cron…, ScheduleWakeup, Monitor), leave the working
 * directory that snapshots cover (…Worktree), or reach other agents without Murmur (SendMessage, ListAgents).
 */
const UNFIT_TOOLS = [
  'CronCreate',
  'CronDelete',
  'CronList',
  'EnterWorktree',
  'ExitWorktree',
  'ListAgents',
  'Monitor',
  'ScheduleWakeup',
  'SendMessage',
];

/** In milliseconds: a week. A tool such as `wait` may take as long as the work that it waits for. */
const MCP_TOOL_MS = 7 * 24 * 3_600_000;

/** The tools of a session that only answers. */
const READING_TOOLS = ['Read', 'Grep', 'Glob'];

/**
 * The program waits for its MCP servers before its first model request. A server starts slowly on a busy host. Not
 * `alwaysLoad`: the program then answers nothing while it waits, at most five seconds, and the time from the spawn to
 * that request grows by the 150 ms of the server's start.
 */
const MCP_START_MS = 60_000;

/** The variable of the API key. With a key file it is not in the environment. */
export const KEY_VARIABLE = 'ANTHROPIC_API_KEY';

/** Arguments for a new session, or to resume one that has a transcript. */
export function claudeArguments(
  session: Pick<OpenSession, 'sessionId' | 'model' | 'mcpServers' | 'answer'>,
  options: { readonly resume: boolean; readonly keyFile: string | undefined },
): readonly string[] {
  const { resume, keyFile } = options;
  return [
    '-p',
    ...['--input-format', 'stream-json'],
    // stream-json output needs --verbose.
    ...['--output-format', 'stream-json', '--verbose'],
    ...['--permission-mode', 'bypassPermissions'],
    // Otherwise the program runs the repository's hooks, settings and MCP servers.
    ...['--setting-sources', ''],
    '--strict-mcp-config',
    ...mcpArguments(session.mcpServers ?? {}),
    // Otherwise a resumed session keeps its first system prompt.
    ...['--system-prompt-snapshot', 'off'],
    ...['--disallowedTools', UNFIT_TOOLS.join(',')],
    ...(keyFile === undefined ? [] : ['--settings', JSON.stringify({ apiKeyHelper: `cat ${shellQuote(keyFile)}` })]),
    ...(session.model === undefined ? [] : ['--model', session.model]),
    ...(session.answer === undefined ? [] : answerArguments(session.answer.schema)),
    ...(resume ? ['--resume', session.sessionId] : ['--session-id', session.sessionId]),
  ];
}

/** Reading tools only, and no saved session. The program adds the tool for the model's answer. */
function answerArguments(schema: object): readonly string[] {
  const tools = ['--tools', READING_TOOLS.join(','), '--disable-slash-commands'];
  return [...tools, '--json-schema', JSON.stringify(schema), '--no-session-persistence'];
}

/** The whole environment of the program. Our variables override the session's, because the backend depends on them. */
export function claudeEnvironment(
  session: Pick<OpenSession, 'env' | 'home'>,
  options: { readonly keyFile: string | undefined; readonly maxRetries: number; readonly isRoot: boolean },
): Readonly<Record<string, string>> {
  const { [KEY_VARIABLE]: key, ...rest } = session.env;
  return {
    ...rest,
    ...(options.keyFile !== undefined || key === undefined ? {} : { [KEY_VARIABLE]: key }),
    HOME: session.home,
    // Root needs this for bypassPermissions. Only the value 1 works.
    ...(options.isRoot ? { IS_SANDBOX: '1' } : {}),
    // The program contacts only the model server: no telemetry, no updates.
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    // Background work would start turns by itself after a turn's end, and outlive it.
    CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
    // The state `idle` marks the end of a turn.
    CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS: '1',
    CLAUDE_CODE_MAX_RETRIES: String(options.maxRetries),
    // Deferred tools cost the model a search before the first call.
    ENABLE_TOOL_SEARCH: 'false',
    MCP_TIMEOUT: String(MCP_START_MS),
    // Temporary files are removed with the machine. In /tmp, agents of one user would share them.
    CLAUDE_CODE_TMPDIR: join(session.home, '.claude', 'tmp'),
  };
}

function mcpArguments(servers: Readonly<Record<string, McpServer>>): readonly string[] {
  const mcpServers = Object.fromEntries(
    Object.entries(servers).map(([name, server]) => [name, { ...server, timeout: MCP_TOOL_MS }]),
  );
  return Object.keys(servers).length === 0 ? [] : ['--mcp-config', JSON.stringify({ mcpServers })];
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
