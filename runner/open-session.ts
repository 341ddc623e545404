// What `/open` makes: the workspace and the agent program, at the same time.
import type { AgentEvent } from '../contract/wire/events.ts';
import type { OpenReply, OpenRequest } from '../contract/wire/runner.ts';
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

/** Names that the agent's environment cannot do without. */
const OURS = ['HOME', 'GIT_CONFIG_GLOBAL', 'MURMUR_MACHINE'];

/**
 * Prepares the workspace and starts the agent program; when either fails, neither is left running. Throws what cloning
 * and the backend throw.
 */
export async function openSession(
  request: OpenRequest,
  backend: AgentBackend,
  context: MachineContext,
): Promise<OpenedSession> {
  const { paths, containment, scrubber, env } = context;
  scrubber.add(secretsOf(request));
  context.journal.continueAfter(request.journal_after ?? 0);
  for (const name of request.dropped_secrets ?? []) context.journal.append(droppedSecret(name));
  if (request.git === undefined) {
    await context.allowRemotes(
      request.repos.map(({ clone_url }) => clone_url),
      request.allow_repos,
    );
  }
  const relayPort = request.api === undefined ? undefined : await context.relay.relayTo(request.api);
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
      // The program starts while the clone goes on; its first prompt waits for the instructions in it.
      projectInstructions: preparing.then(
        () => readProjectInstructions(checkouts),
        () => undefined,
      ),
      runDir: context.agentRun,
      user: containment.user,
      env: { ...env, ...withoutOurs(request.env), ...murmurEnvironment(relayPort) },
      mcpServers: relayPort === undefined ? {} : murmurServer(),
      spawn: containment.spawn,
    },
    {
      spentUsd: () => context.spentUsd(),
      onDeath: (reason) => context.onProgramDeath(reason),
      // Read again: the program may have been started again, with yet another id.
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
 * `<machine>/runner/session.json`: the conversation and the ids that name it. A program may create its own id. The caller
 * does not know that id if the runner or the worker died before it was reported.
 */
interface SessionRecord {
  readonly session_id: string;
  /** Ids under which callers requested it. */
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

/** An agent that an earlier build started goes on without the variable. */
function droppedSecret(name: string): AgentEvent {
  const message = `secret ${JSON.stringify(name)} was dropped: this name is no longer allowed`;
  return { type: 'error', code: 'secret_dropped', message };
}

function secretsOf({ env, secret_names }: OpenRequest): Record<string, string> {
  return Object.fromEntries(secret_names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

function withoutOurs(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OURS.includes(name)));
}

/**
 * Whether the session is what the request asks for. What a session begins with does not tell two apart: it has happened.
 * Nor does where the relays lead. The conversation may be meant by its own id or by the one that was wished.
 */
export function isSameSession(asked: OpenRequest, { request, program }: OpenedSession): boolean {
  const lasting = (each: OpenRequest): string => {
    const { restore: _restore, journal_after: _after, session_id: _id, api, git, ...rest } = each;
    return JSON.stringify({ ...rest, api: api !== undefined, git: git !== undefined });
  };
  const isMeantBy = [request.session_id, program.sessionId].includes(asked.session_id);
  return isMeantBy && lasting(asked) === lasting(request);
}

/** What `/open` answers now: the program may have been started again since, under another id. */
export function replyOf({ reply, program }: OpenedSession): OpenReply {
  return { ...reply, session_id: program.sessionId };
}

/** Variables that `murmur` and its MCP server read, for a relay on this port; none without a relay. */
function murmurEnvironment(relayPort: number | undefined): Readonly<Record<string, string>> {
  return relayPort === undefined ? {} : { MURMUR_API_URL: `http://127.0.0.1:${relayPort}` };
}

/** `murmur mcp`, from the machine's PATH. An interrupt must not end it: the agent program does not start it again. */
function murmurServer(): Readonly<Record<string, McpServer>> {
  return { murmur: { command: 'murmur', args: ['mcp'], env: { [COMPANION]: '1' } } };
}
