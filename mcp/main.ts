// Entry of the MCP server over stdio: the part that concerns the process.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../config/package.ts';
import { homePaths, murmurHome } from '../config/home.ts';
import { ERRORS, MurmurError } from '../contract/wire/errors.ts';
import { callApi } from './api.ts';
import { createSession } from './session/session.ts';
import { serveStdio } from './stdio.ts';
import { TOOLS } from './tools.ts';
import { openTraces } from './traces.ts';
import { openTrafficLog } from './traffic-log.ts';

export interface McpOptions {
  /** Log the traffic to MURMUR_HOME/logs/mcp.log. */
  readonly debug: boolean;
  /** Workspace of calls that name none; overrides the configured one. */
  readonly workspace?: string | undefined;
}

/** Serves one client until it closes stdin or a signal ends the process. Resolves with the exit status. */
export async function main({ debug, workspace }: McpOptions): Promise<number> {
  try {
    const log = debug ? openTrafficLog(homePaths(murmurHome(process.env)).logs.mcp) : undefined;
    const version = ownVersion();
    const caller = { env: process.env, source: { cwd: process.cwd(), flags: { workspace } }, version, tools: TOOLS };
    const traces = openTraces(process.env, version);
    const session = createSession({
      version,
      tools: TOOLS,
      call: async (name, input, options) =>
        await traces.within(name, options.traceparent, async (traceparent) =>
          callApi(caller, name, input, { ...options, traceparent }),
        ),
      errorOf: (error) => new MurmurError('INTERNAL', error instanceof Error ? error.message : String(error)),
    });
    const complain = (problem: string): void => {
      log?.note(problem);
      process.stderr.write(`murmur mcp: ${problem}\n`);
    };
    await serveStdio(session, { stdin: process.stdin, stdout: process.stdout, signal: endOfProcess(), log, complain });
    await traces.sent();
    return 0;
  } catch (error) {
    if (!(error instanceof MurmurError)) throw error;
    process.stderr.write(`murmur: ${error.message}\n${error.hint === undefined ? '' : `hint: ${error.hint}\n`}`);
    return ERRORS[error.code].exit;
  }
}

function ownVersion(): string {
  return (JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as { readonly version: string }).version;
}

/** Aborts on a signal: a client that ends its server does not need the answers of calls in progress. */
function endOfProcess(): AbortSignal {
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => ending.abort());
  return ending.signal;
}
