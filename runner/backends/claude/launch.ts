// How Claude Code is started: arguments and environment. Pure.
import { join } from 'node:path';
import type { McpServer, OpenSession } from '../backend.ts';

/**
 * Times that the program itself tries a failed model request again: it waits about 0.5, 1, 2 and 5 s. That rides out a
 * hiccup within the turn; a longer outage ends the turn with its reason, so that a person sees it and Murmur's own
 * back-off, which survives restarts, takes over. The program's default of 10 hides an outage for minutes.
 */
export const DEFAULT_MAX_RETRIES = 4;

/**
 * Tools that do not fit an agent of Murmur: they start turns at a time of their own (Cron…, ScheduleWakeup, Monitor),
 * leave the working directory that snapshots cover (…Worktree), or reach other agents past Murmur (SendMessage,
 * ListAgents).
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

/** A tool such as `wait` may take as long as the work that it waits for: a week, in milliseconds. */
const MCP_TOOL_MS = 7 * 24 * 3_600_000;

/** Of a session that only answers. */
const READING_TOOLS = ['Read', 'Grep', 'Glob'];

/** The program waits for its servers before the first turn; a cold one on a busy host takes its time. */
const MCP_START_MS = 60_000;

/** The key's own variable. With a key file it is left out of the environment. */
export const KEY_VARIABLE = 'ANTHROPIC_API_KEY';

/** Arguments for a new session, or for going on with one that has a transcript. */
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
    // Hooks, settings and MCP servers of a repository would run unasked.
    ...['--setting-sources', ''],
    '--strict-mcp-config',
    ...mcpArguments(session.mcpServers ?? {}),
    // Else a resumed session keeps the system prompt that it began with.
    ...['--system-prompt-snapshot', 'off'],
    ...['--disallowedTools', UNFIT_TOOLS.join(',')],
    ...(keyFile === undefined ? [] : ['--settings', JSON.stringify({ apiKeyHelper: `cat ${shellQuote(keyFile)}` })]),
    ...(session.model === undefined ? [] : ['--model', session.model]),
    ...(session.answer === undefined ? [] : answerArguments(session.answer.schema)),
    ...(resume ? ['--resume', session.sessionId] : ['--session-id', session.sessionId]),
  ];
}

/** Tools that look, and nothing that stays. The program adds the tool with which the model gives its answer. */
function answerArguments(schema: object): readonly string[] {
  const tools = ['--tools', READING_TOOLS.join(','), '--disable-slash-commands'];
  return [...tools, '--json-schema', JSON.stringify(schema), '--no-session-persistence'];
}

/** The whole environment of the program. Ours wins over the session's: the driver depends on it. */
export function claudeEnvironment(
  session: Pick<OpenSession, 'env' | 'home'>,
  options: { readonly keyFile: string | undefined; readonly maxRetries: number; readonly isRoot: boolean },
): Readonly<Record<string, string>> {
  const { [KEY_VARIABLE]: key, ...rest } = session.env;
  return {
    ...rest,
    ...(options.keyFile !== undefined || key === undefined ? {} : { [KEY_VARIABLE]: key }),
    HOME: session.home,
    // bypassPermissions is refused to root without it. Any other value than 1 does not count.
    ...(options.isRoot ? { IS_SANDBOX: '1' } : {}),
    // Leaves the model server as the only peer: no telemetry, no updates.
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    // Background work would start turns by itself after a turn's end, and outlive it.
    CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
    // The end of a turn is told by the state becoming idle.
    CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS: '1',
    CLAUDE_CODE_MAX_RETRIES: String(options.maxRetries),
    // Deferred tools cost the model a search before the first call.
    ENABLE_TOOL_SEARCH: 'false',
    MCP_TIMEOUT: String(MCP_START_MS),
    // Temporary files belong to the machine and go with it; in /tmp agents of one user would meet.
    CLAUDE_CODE_TMPDIR: join(session.home, '.claude', 'tmp'),
  };
}

function mcpArguments(servers: Readonly<Record<string, McpServer>>): readonly string[] {
  const mcpServers = Object.fromEntries(
    Object.entries(servers).map(([name, server]) => [name, { ...server, alwaysLoad: true, timeout: MCP_TOOL_MS }]),
  );
  return Object.keys(servers).length === 0 ? [] : ['--mcp-config', JSON.stringify({ mcpServers })];
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
