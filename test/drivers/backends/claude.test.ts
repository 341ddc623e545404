// The Claude Code backend with the real program against the scripted model: the port's suite.
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startScriptedModel } from '../../../demo/model/scripted-model.ts';
import { createClaudeBackend } from '../../../drivers/backends/claude/backend.ts';
import { findProgram } from '../../../drivers/backends/claude/program.ts';
import type { BackendHarness } from '../../../drivers/backends/conformance-fixture.ts';
import { backendConformance } from '../../../drivers/backends/conformance.ts';

/** The pinned program of the development dependencies, else the user's own. */
const bin = join(fileURLToPath(new URL('../../../', import.meta.url)), 'node_modules', '.bin');
const path = [bin, process.env['PATH'] ?? ''].join(delimiter);

async function startHarness(): Promise<BackendHarness> {
  const model = await startScriptedModel();
  return {
    backend: createClaudeBackend({ maxRetries: 1 }),
    env: { PATH: path, ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'scripted-key' },
    asked: () => model.requests,
    kill: ({ pid }) => {
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    },
    stop: () => model.stop(),
  };
}

const hasClaude = (await findProgram('claude', path)) !== undefined;
backendConformance('claude', startHarness, hasClaude ? undefined : 'there is no claude on PATH');
