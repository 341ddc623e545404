// Describes the machine on which the figures were measured. Imports Node built-ins and run.
import { cpus, release, totalmem, type as system } from 'node:os';
import { run } from './laboratory/run.ts';

export interface MachineFacts {
  readonly date: string;
  readonly system: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gb: number;
  readonly node: string;
  readonly git: string;
  readonly claude: string;
}

/** Limit for printing a version, in milliseconds. A slower machine is not fit for measurements. */
const VERSION_MS = 20_000;

export async function machineFacts(claude: string): Promise<MachineFacts> {
  const ask = async (program: string) =>
    (await run(program, ['--version'], { cwd: '/', timeoutMs: VERSION_MS })).trim();
  return {
    date: new Date().toISOString(),
    system: `${system()} ${release()}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory_gb: Math.round(totalmem() / 1e9),
    node: process.version,
    git: await ask('git'),
    claude: await ask(claude),
  };
}
