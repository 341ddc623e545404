// Reads the file in which a machine names its agent. Built-ins only: the CLI reads it on every start.
import { readFileSync } from 'node:fs';
import { AGENT_FILE } from '../contract/wire/agent-file.ts';
import type { AgentFile } from '../contract/wire/agent-file.ts';
import type { Environment } from './environment.ts';
import { textOf } from './environment.ts';

/** The path of the file; undefined outside of machines. */
export function agentFileOf(env: Environment): string | undefined {
  return textOf(env, AGENT_FILE);
}

/** Undefined outside of machines, and on a machine without an agent. The runner replaces the file atomically. */
export function readAgentFile(env: Environment): AgentFile | undefined {
  const path = agentFileOf(env);
  if (path === undefined) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as AgentFile;
  } catch {
    return undefined;
  }
}
