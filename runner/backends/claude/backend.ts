// The Claude Code backend: the real `claude` program, resident, over its stream-json protocol. Built-ins and
// contract/wire only: it is bundled into the runner.
import { MurmurError } from '../../../contract/wire/errors.ts';
import type { AgentBackend, AgentSession, OpenSession } from '../backend.ts';
import { removePrivateFile, writePrivateFile } from '../private-file.ts';
import { claudeArguments, claudeEnvironment, DEFAULT_MAX_RETRIES, KEY_VARIABLE } from './launch.ts';
import { findProgram, INSTALL_CLAUDE } from './program.ts';
import type { ProgramTimeouts } from './session.ts';
import { ClaudeSession, DEFAULT_TIMEOUTS } from './session.ts';
import { prepareTranscript } from './transcript.ts';

/** The API key's file; the program gets the key by its `apiKeyHelper`. */
const KEY_FILE = 'api-key';

export interface ClaudeBackendOptions {
  /** Name on the session's PATH, or absolute path; by default `claude`. */
  readonly program?: string;
  /** How often the program itself retries a failed model request. */
  readonly maxRetries?: number;
  /** Shorter waits, for tests with programs that do not answer. */
  readonly timeouts?: Partial<ProgramTimeouts>;
}

/** The backend for Claude Code. */
export function createClaudeBackend(options: ClaudeBackendOptions = {}): AgentBackend {
  return { name: 'claude', open: (session) => open(session, options) };
}

async function open(session: OpenSession, options: ClaudeBackendOptions): Promise<AgentSession> {
  const name = options.program ?? 'claude';
  const program = await findProgram(name, session.env['PATH']);
  if (program === undefined) {
    throw new MurmurError('FAILED_PRECONDITION', `${name} is not on PATH`, { hint: INSTALL_CLAUDE });
  }
  const resumed = session.answer === undefined && (await prepareTranscript(session.home, session.sessionId));
  const { runDir } = session;
  const key = session.env[KEY_VARIABLE];
  const keyFile =
    runDir === undefined || key === undefined ? undefined : await writePrivateFile(runDir, KEY_FILE, key, session.user);
  const child = session.spawn(program, claudeArguments(session, { resume: resumed, keyFile }), {
    cwd: session.cwd,
    env: claudeEnvironment(session, {
      keyFile,
      maxRetries: options.maxRetries ?? DEFAULT_MAX_RETRIES,
      isRoot: process.getuid?.() === 0,
    }),
  });
  const cleanUp = async (): Promise<void> => {
    // A session that only answers shares the key file with the agent's own session, which still needs it.
    if (runDir !== undefined && session.answer === undefined) await removePrivateFile(runDir, KEY_FILE);
  };
  const started = new ClaudeSession({
    options: session,
    child,
    resumed,
    timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts },
    cleanUp,
  });
  const problem = await started.startProblem();
  if (problem !== undefined) {
    await cleanUp();
    throw new MurmurError('FAILED_PRECONDITION', `${name} did not start: ${problem}`, { hint: INSTALL_CLAUDE });
  }
  return started;
}
