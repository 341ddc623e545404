// Every tool as plain data. The build replaces this module by the data, so that a session starts without loading zod.
import { describeTools } from '../contract/mcp.ts';
import type { ToolDescription } from '../contract/mcp-call.ts';

export const TOOLS: readonly ToolDescription[] = describeTools();
