// The real Claude Code with a scripted model, for the tests of this folder.
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe } from '@jest/globals';
import type { ScriptedModel } from '../../../../demo/model/scripted-model.ts';
import { startScriptedModel } from '../../../../demo/model/scripted-model.ts';
import { createClaudeBackend } from '../../../../runner/backends/claude/backend.ts';
import { findProgram } from '../../../../runner/backends/claude/program.ts';
import type { BackendHarness, ProgramTools } from '../../../../runner/backends/conformance-fixture.ts';

/** The pinned program of the development dependencies, else the user's. */
const bin = join(fileURLToPath(new URL('../../../../', import.meta.url)), 'node_modules', '.bin');
const path = [bin, process.env['PATH'] ?? ''].join(delimiter);

const isThere = (await findProgram('claude', path)) !== undefined;

/** Why tests with the real program are skipped; undefined when they run. */
export const skipReason = isThere ? undefined : 'there is no claude on PATH';

/** `describe` for tests with the real program: skipped, with the reason, where it is missing. */
export function describeWithClaude(name: string, body: () => void): void {
  if (skipReason === undefined) describe(name, body);
  else describe.skip(`${name} (skipped: ${skipReason})`, body);
}

/** Time for one test: several cold starts on a busy machine. */
export const TEST_MS = 180_000;

export interface ClaudeHarness extends BackendHarness {
  readonly model: ScriptedModel;
}

export const CLAUDE_TOOLS: ProgramTools = {
  shell: { name: 'Bash', step: (command) => ({ tool: 'Bash', input: { command } }) },
  edit: { name: 'Write', step: (path, content) => ({ tool: 'Write', input: { file_path: path, content } }) },
  read: { name: 'Read', step: (path) => ({ tool: 'Read', input: { file_path: path } }) },
  isActing: (name) => /^(Bash|Write|Edit|NotebookEdit|Task|WebFetch)$/.test(name),
};

/** A backend with one retry, so that failures are reported soon. */
export async function startClaudeHarness(): Promise<ClaudeHarness> {
  const model = await startScriptedModel();
  return {
    model,
    backend: createClaudeBackend({ maxRetries: 1 }),
    env: { PATH: path, ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'scripted-key' },
    asked: () => model.requests,
    tools: CLAUDE_TOOLS,
    tornLine: '{"type":"assistant","message":{"role":"assi',
    offered: () => model.requests.at(-1)?.tools ?? [],
    kill: ({ pid }) => {
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    },
    stop: () => model.stop(),
  };
}
