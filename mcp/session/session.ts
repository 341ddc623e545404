// An MCP session whatever carries it: tells the tools, makes the calls, turns what comes of them into results. The SDK's
// low-level server is used, so that the schemas are ours and nothing is checked twice.
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { CallToolRequestSchema, ErrorCode, ListToolsRequestSchema, McpError } from '@modelcontextprotocol/sdk/types.js';
import type { CallToolResult, Tool } from '@modelcontextprotocol/sdk/types.js';
import { checkArguments, errorResultOf, resultOf } from '../../contract/mcp-call.ts';
import type { ToolDescription } from '../../contract/mcp-call.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { nearestName } from '../../contract/wire/nearest.ts';
import { reportProgress } from './progress.ts';

/** What a client's model is told once of all tools together. */
const INSTRUCTIONS =
  'Murmur runs coding agents, each on its own machine and branch. `spawn` creates an agent with a task and returns at ' +
  'once. `wait` blocks until an agent needs attention. `status` and `ls` show the state of agents. `queue_add` sends a ' +
  'follow-up; call `interrupt` first to have it delivered at once. `kill` ends an agent and its descendants. Slugs are ' +
  'relative. For an agent, a slug names one of its children and an empty slug names the agent itself. For a person, a ' +
  'slug names an agent at the root. An absolute path, `/w/<workspace>/u/<account>/<slug>`, names any agent. Errors have ' +
  'a code and a hint that says what to do next.';

/** How a call goes on and how it ends early. */
export interface CallOptions {
  /** Aborts when the client cancels the call or is gone. */
  readonly signal: AbortSignal;
  /** Takes the operation's progress events. */
  readonly onProgress: (progress: unknown) => void;
  /** The client's place in a trace, in the form of W3C Trace Context, if its request has told one. */
  readonly traceparent?: string | undefined;
}

export interface SessionOptions {
  /** Version of Murmur. */
  readonly version: string;
  readonly tools: readonly ToolDescription[];
  /** Asks for the operation of that name; throws MurmurError. Anything else that it throws is a defect. */
  readonly call: (name: string, input: Readonly<Record<string, unknown>>, options: CallOptions) => Promise<unknown>;
  /** What an error that is no MurmurError means. */
  readonly errorOf: (error: unknown) => MurmurError;
  /** Milliseconds between signs of life of a call that takes long. Clients give up after a minute of silence. */
  readonly heartbeatMs?: number;
}

export interface Session {
  /** Not connected yet. */
  readonly server: Server;
  /** Resolves when no call is under way. */
  idle(): Promise<void>;
}

const HEARTBEAT_MS = 15_000;

/** Makes a session for one client. Nothing is shared with other sessions, so that no answer can reach the wrong client. */
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

/** A tool as clients are told of it. */
function listedTool({ annotations, description, inputSchema, name }: ToolDescription): Tool {
  const { required, ...schema } = inputSchema;
  return { name, description, annotations, inputSchema: { ...schema, required: [...required] } };
}

/** The one mistake that the protocol has an error of its own for. */
function unknownTool(name: string, known: readonly string[]): never {
  const nearest = nearestName(name, known);
  const offer = nearest === undefined ? '' : `: did you mean ${JSON.stringify(nearest)}?`;
  throw new McpError(ErrorCode.InvalidParams, `unknown tool ${JSON.stringify(name.slice(0, 80))}${offer}`);
}
