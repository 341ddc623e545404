// The tools of the fake backend: a shell, a file writer and a file reader. They run as contained processes in the
// working directory. Built-ins only.
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { OpenSession } from '../backend.ts';
import { endProcessTree } from '../process-tree.ts';
import type { ScriptedTool } from './script.ts';

export interface ToolOutcome {
  readonly text: string;
  readonly isError: boolean;
}

/** Limit of captured output: a runaway command must not fill the memory. */
const OUTPUT_LIMIT = 16 * 1024 * 1024;

/** Runs one call; resolves with its output. An abort kills the process and its descendants. */
export async function runTool(
  call: ScriptedTool,
  session: Pick<OpenSession, 'cwd' | 'env' | 'home' | 'spawn'>,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  const input = call.input ?? {};
  const text = (name: string): string => (typeof input[name] === 'string' ? input[name] : '');
  const options = { cwd: session.cwd, env: { ...session.env, HOME: session.home } };
  switch (call.tool) {
    case 'Bash':
      return await outcomeOf(session.spawn('/bin/sh', ['-c', text('command')], options), '', signal);
    case 'Write': {
      const script = 'mkdir -p "$(dirname "$1")" && cat > "$1"';
      const child = session.spawn('/bin/sh', ['-c', script, 'sh', text('file_path')], options);
      return await outcomeOf(child, text('content'), signal);
    }
    case 'Read':
      return await outcomeOf(session.spawn('/bin/cat', ['--', text('file_path')], options), '', signal);
    default:
      return { text: `No such tool available: ${call.tool}`, isError: true };
  }
}

async function outcomeOf(
  child: ChildProcessWithoutNullStreams,
  input: string,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  const chunks: Buffer[] = [];
  let size = 0;
  const keep = (chunk: Buffer): void => {
    size += chunk.length;
    if (size <= OUTPUT_LIMIT) chunks.push(chunk);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return await new Promise((resolve) => {
    const abort = (): void => void endProcessTree(child);
    const finish = (outcome: ToolOutcome): void => {
      signal.removeEventListener('abort', abort);
      resolve(outcome);
    };
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    child.once('error', (error) => finish({ text: error.message, isError: true }));
    child.once('close', (code) => finish({ text: Buffer.concat(chunks).toString('utf8'), isError: code !== 0 }));
  });
}
