// An MCP session over any transport: lists the tools, makes the calls and translates answers into results. Uses the
// SDK's low-level server, so that the schemas are ours and inputs are validated only once.
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { CallToolRequestSchema, ErrorCode, ListToolsRequestSchema, McpError } from '@modelcontextprotocol/sdk/types.js';
import type { CallToolResult, Tool } from '@modelcontextprotocol/sdk/types.js';
import { checkArguments, errorResultOf, resultOf } from '../../contract/mcp-call.ts';
import type { ToolDescription } from '../../contract/mcp-call.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { nearestName } from '../../contract/wire/nearest.ts';
import { reportProgress } from './progress.ts';

/** Instructions about all tools for the client's model. */
const INSTRUCTIONS =
  'Murmur runs coding agents, each on its own machine and branch. `spawn` creates an agent with a task and returns at ' +
  'once. `wait` blocks until an agent needs attention. `status` and `ls` show the state of agents. `queue_add` sends a ' +
  'follow-up; call `interrupt` first to have it delivered at once. `kill` ends an agent and its descendants. Slugs are ' +
  'relative. For an agent, a slug names one of its children and an empty slug names the agent itself. For a person, a ' +
  'slug names an agent at the root. An absolute path, `/w/<workspace>/u/<account>/<slug>`, names any agent. Errors have ' +
  'a code and a hint that says what to do next.';

/** How a call reports progress and how it ends early. */
export interface CallOptions {
  /** Aborts when the client cancels the call or is gone. */
  readonly signal: AbortSignal;
  /** Receives the operation's progress events. */
  readonly onProgress: (progress: unknown) => void;
  /** The client's place in a trace, in the form of W3C Trace Context, if its request has told one. */
  readonly traceparent?: string | undefined;
}

export interface SessionOptions {
  /** Version of Murmur. */
  readonly version: string;
  readonly tools: readonly ToolDescription[];
  /** Calls the operation of that name. Throws MurmurError; any other error is a defect. */
  readonly call: (name: string, input: Readonly<Record<string, unknown>>, options: CallOptions) => Promise<unknown>;
  /** Translates an error that is not a MurmurError. */
  readonly errorOf: (error: unknown) => MurmurError;
  /** Interval of heartbeats of a long call, in milliseconds. Clients give up after a minute of silence. */
  readonly heartbeatMs?: number;
}

export interface Session {
  /** Not connected yet. */
  readonly server: Server;
  /** Resolves when no call is in progress. */
  idle(): Promise<void>;
}

const HEARTBEAT_MS = 15_000;

/** Creates a session for one client. Sessions share nothing, so that no answer can reach the wrong client. */
export function createSession(options: SessionOptions): Session {
  const tools = new Map(options.tools.map((tool) => [tool.name, tool]));
  const running = new Set<Promise<unknown>>();
  const server = new Server(
    { name: 'murmur', version: options.version },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
  );
  const listed = options.tools.map(listedTool);
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: listed }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { _meta, sendNotification, signal }) => {
    const tool = tools.get(params.name) ?? unknownTool(params.name, [...tools.keys()]);
    const reporter = reportProgress(_meta?.progressToken, sendNotification, options.heartbeatMs ?? HEARTBEAT_MS);
    const traceparent: unknown = _meta?.['traceparent'];
    const call = callTool(options, tool, params.arguments ?? {}, {
      signal,
      onProgress: reporter.report,
      traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    });
    running.add(call);
    try {
      return await call;
    } finally {
      reporter.end();
      running.delete(call);
    }
  });
  return {
    server,
    async idle() {
      while (running.size > 0) await Promise.allSettled(running);
    },
  };
}

async function callTool(
  options: SessionOptions,
  tool: ToolDescription,
  input: Readonly<Record<string, unknown>>,
  how: CallOptions,
): Promise<CallToolResult> {
  try {
    checkArguments(tool, input);
    return resultOf(tool, await options.call(tool.name, input, how));
  } catch (error) {
    return errorResultOf(error instanceof MurmurError ? error : options.errorOf(error));
  }
}

/** A tool as listed to clients. */
function listedTool({ annotations, description, inputSchema, name }: ToolDescription): Tool {
  const { required, ...schema } = inputSchema;
  return { name, description, annotations, inputSchema: { ...schema, required: [...required] } };
}

/** Throws the protocol's own error for an unknown tool. */
function unknownTool(name: string, known: readonly string[]): never {
  const nearest = nearestName(name, known);
  const offer = nearest === undefined ? '' : `: did you mean ${JSON.stringify(nearest)}?`;
  throw new McpError(ErrorCode.InvalidParams, `unknown tool ${JSON.stringify(name.slice(0, 80))}${offer}`);
}
