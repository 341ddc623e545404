// A process that holds an isolation like a runner: `node holder.ts <spec as JSON>`. It reads requests as JSON lines
// from stdin and answers on stdout, so that a test can run it as any user and kill it.
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import type { IsolationSpec } from '../../../contract/wire/isolation.ts';
import { createIsolation } from '../../../runner/isolation/isolation.ts';

export type HolderRequest =
  | {
      readonly op: 'start';
      readonly command: readonly string[];
      readonly cwd: string;
      readonly env?: Readonly<Record<string, string>>;
    }
  /** Writes a line to a program and returns its next line. */
  | { readonly op: 'ask'; readonly pid: number; readonly line: string }
  | { readonly op: 'input'; readonly pid: number; readonly text: string }
  | { readonly op: 'signal'; readonly pid: number; readonly signal: NodeJS.Signals }
  | { readonly op: 'end'; readonly pid: number }
  | { readonly op: 'endStartedSince'; readonly since: number; readonly keep: readonly number[]; readonly all?: boolean }
  | { readonly op: 'endStarted' }
  | { readonly op: 'endAll' }
  | { readonly op: 'portHolder'; readonly port: number }
  /** Listens in this process on a free port of 127.0.0.1 and returns it. */
  | { readonly op: 'listen' };

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Program {
  readonly child: ChildProcessWithoutNullStreams;
  readonly end: Promise<ProgramEnd>;
  readonly nextLine: () => Promise<unknown>;
}

const isolation = createIsolation(JSON.parse(process.argv[2] ?? '') as IsolationSpec);
const programs = new Map<number, Program>();

function start({ command, cwd, env = {} }: HolderRequest & { op: 'start' }): number {
  const [file = '', ...args] = command;
  const child = isolation.spawn(file, args, { cwd, env: { PATH: process.env['PATH'] ?? '', ...env } });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const end = once(child, 'close').then(([code, signal]) => ({ code, signal, ...output }));
  const pid = child.pid ?? 0;
  programs.set(pid, { child, end, nextLine: async () => (await lines.next()).value });
  return pid;
}

async function answer(request: HolderRequest): Promise<unknown> {
  if (request.op === 'start') return start(request);
  if (request.op === 'endStarted') return isolation.endStarted();
  if (request.op === 'endAll') return isolation.endAll();
  if (request.op === 'portHolder') return isolation.portHolder(request.port);
  if (request.op === 'listen') {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }
  if (request.op === 'endStartedSince')
    return isolation.endStartedSince(new Date(request.since), request.keep, request.all);
  const program = programs.get(request.pid);
  if (program === undefined) throw new Error(`no program ${request.pid}`);
  if (request.op === 'signal') return program.child.kill(request.signal);
  if (request.op === 'input') return void program.child.stdin.end(request.text);
  if (request.op === 'end') return program.end;
  program.child.stdin.write(`${request.line}\n`);
  return program.nextLine();
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, request } = JSON.parse(line) as { id: number; request: HolderRequest };
  void answer(request).then(
    (value) => process.stdout.write(`${JSON.stringify({ id, value })}\n`),
    (error: unknown) => process.stdout.write(`${JSON.stringify({ id, error: String(error) })}\n`),
  );
}
process.exit(0);
