// Every tool as plain data. The build puts the data itself in the place of this module, so that our own code loads no zod
// when a session starts.
import { describeTools } from '../contract/mcp.ts';
import type { ToolDescription } from '../contract/mcp-call.ts';

export const TOOLS: readonly ToolDescription[] = describeTools();
