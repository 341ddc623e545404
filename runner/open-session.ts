// Implements `/open`: prepares the workspace and starts the agent program concurrently.
import { AGENT_FILE } from '../contract/wire/agent-file.ts';
import type { AgentEvent } from '../contract/wire/events.ts';
import type { OpenReply, OpenRequest } from '../contract/wire/runner.ts';
import { AGENT_TOKEN } from '../contract/wire/tokens.ts';
import type { AgentBackend, McpServer } from './backends/backend.ts';
import { readProjectInstructions } from './backends/project-instructions.ts';
import { AgentProgram } from './agent-program.ts';
import type { MachineContext } from './machine-context.ts';
import { Observer } from './observation/observe.ts';
import { restoreConversation, restoreWork } from './snapshot/restore.ts';
import { readManifest } from './snapshot/manifest.ts';
import { readState, writeState } from './state-file.ts';
import { Workspace } from './workspace/workspace.ts';
import { COMPANION } from './isolation/marker.ts';

export interface OpenedSession {
  readonly request: OpenRequest;
  readonly reply: OpenReply;
  readonly workspace: Workspace;
  readonly program: AgentProgram;
  readonly observer: Observer;
}

/** Variables that requests must not override. The agent's token is in the file. */
const OURS = ['HOME', 'GIT_CONFIG_GLOBAL', 'MURMUR_MACHINE', AGENT_FILE];

/**
 * Prepares the workspace and starts the agent program. When one of them fails, ends the other. The context has been
 * told of the request. Throws the errors of cloning and of the backend.
 */
export async function openSession(
  request: OpenRequest,
  backend: AgentBackend,
  context: MachineContext,
): Promise<OpenedSession> {
  const { paths, containment, env } = context;
  context.journal.continueAfter(request.journal_after ?? 0);
  for (const name of request.dropped_secrets ?? []) context.journal.append(droppedSecret(name));
  if (request.git === undefined) {
    await context.allowRemotes(
      request.repos.map(({ clone_url }) => clone_url),
      request.allow_repos,
    );
  }
  const workspace = new Workspace(request.repos, paths, context);
  workspace.makeDirectories();
  const observer = new Observer({ containment, env, git: context.git, file: paths.baseline });
  const known = readState<SessionRecord>(paths.session);
  const snapshot = request.restore === undefined ? undefined : readManifest(request.restore);
  if (snapshot !== undefined) {
    await restoreConversation(snapshot, paths.home, context);
    context.journal.continueAfter(snapshot.manifest.seq);
  }
  const preparing = workspace.prepare(async (checkout) => {
    if (snapshot !== undefined) await restoreWork(snapshot, checkout, context);
    await observer.begin(checkout);
  });
  const checkouts = workspace.checkouts.map(({ directory }) => directory);
  const program = new AgentProgram(
    backend,
    {
      cwd: workspace.cwd,
      home: paths.home,
      sessionId: sessionToOpen(request, known, snapshot?.manifest.session_id),
      model: request.model,
      appendSystemPrompt: request.append_system_prompt,
      // The program starts during the clone. Its first prompt waits for the instructions from the repository.
      projectInstructions: preparing.then(
        () => readProjectInstructions(checkouts),
        () => undefined,
      ),
      runDir: context.agentRun,
      user: containment.user,
      env: { ...env, ...withoutOurs(request.env) },
      mcpServers: request.api === undefined ? {} : murmurServer(),
      spawn: containment.spawn,
    },
    {
      spentUsd: () => context.spentUsd(),
      onDeath: (reason) => context.onProgramDeath(reason),
      // Reads the file again: the program may have been restarted with another id.
      onSession: (id) =>
        writeState(paths.session, recordOfSession(request, readState<SessionRecord>(paths.session), id)),
    },
  );
  const [prepared, started] = await Promise.allSettled([preparing, program.running()]);
  if (prepared.status === 'fulfilled' && started.status === 'fulfilled') {
    const { resumed } = started.value;
    const reply = { cwd: workspace.cwd, isolation: containment.isolation, resumed };
    return { request, reply, workspace, program, observer };
  }
  await program.stop();
  throw prepared.status === 'rejected' ? prepared.reason : started.status === 'rejected' ? started.reason : undefined;
}

/**
 * `<machine>/runner/session.json`: the session's id and the ids by which it was requested. A program may choose its own
 * id. The caller may not know that id yet, if the runner or the worker died in between.
 */
interface SessionRecord {
  readonly session_id: string;
  /** Ids by which the session was requested. */
  readonly asked: readonly string[];
}

function isSameConversation(request: OpenRequest, { session_id: id, asked }: SessionRecord): boolean {
  return id === request.session_id || asked.includes(request.session_id);
}

function sessionToOpen(request: OpenRequest, known: SessionRecord | undefined, captured: string | undefined): string {
  if (known !== undefined && isSameConversation(request, known)) return known.session_id;
  return captured ?? request.session_id;
}

function recordOfSession(request: OpenRequest, known: SessionRecord | undefined, id: string): SessionRecord {
  const before = known !== undefined && isSameConversation(request, known) ? [known.session_id, ...known.asked] : [];
  return { session_id: id, asked: [...new Set([...before, request.session_id])].filter((each) => each !== id) };
}

/** An agent of an earlier build continues without the variable. */
function droppedSecret(name: string): AgentEvent {
  const message = `secret ${JSON.stringify(name)} was dropped: this name is no longer allowed`;
  return { type: 'error', code: 'secret_dropped', message };
}

function withoutOurs(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OURS.includes(name) && name !== AGENT_TOKEN));
}

/**
 * Whether the session is the requested one. Ignores fields that only matter at the start, the token and the targets of
 * the relays. The conversation may be requested by its own id or by an earlier requested one.
 */
export function isSameSession(asked: OpenRequest, { request, program }: OpenedSession): boolean {
  const lasting = (each: OpenRequest): string => {
    const { restore: _restore, journal_after: _after, session_id: _id, api, git, env, ...rest } = each;
    return JSON.stringify({ ...rest, env: withoutOurs(env), api: api !== undefined, git: git !== undefined });
  };
  const isMeantBy = [request.session_id, program.sessionId].includes(asked.session_id);
  return isMeantBy && lasting(asked) === lasting(request);
}

/** The current reply of `/open`: the program may have been restarted with another id. */
export function replyOf({ reply, program }: OpenedSession): OpenReply {
  return { ...reply, session_id: program.sessionId };
}

/**
 * `murmur mcp`, from the machine's PATH. An interrupt must not end it, because the agent program does not restart it.
 */
function murmurServer(): Readonly<Record<string, McpServer>> {
  return { murmur: { command: 'murmur', args: ['mcp'], env: { [COMPANION]: '1' } } };
}
