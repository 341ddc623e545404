// Entry of the CLI: only code that uses the process. oclif imports this module for the commands, so its evaluation must
// not wait for the running command.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IS_PUBLISHED, PACKAGE_ROOT } from '../config/package.ts';
import { Interrupted } from './output/failure.ts';
import { makeTerminal } from './output/terminal.ts';
import { runCli } from './run.ts';

export { COMMANDS } from './commands.ts';

void main();

async function main(): Promise<void> {
  const { name, version } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
  };
  ignoreClosedPipes();
  process.exitCode = await runCli(
    process.argv.slice(2),
    {
      env: process.env,
      cwd: process.cwd(),
      terminal: makeTerminal(process.stdout, process.stderr, process.env),
      readStdin: async () => (await import('node:stream/consumers')).text(process.stdin),
      signal: endOfProcess(),
      version,
    },
    { name, version, root: PACKAGE_ROOT, commands: IS_PUBLISHED ? 'dist/cli.js' : 'cli/main.ts' },
  );
}

/** Aborts with the first signal. A second one exits at once. */
function endOfProcess(): AbortSignal {
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const reason = new Interrupted(signal);
      if (ending.signal.aborted) process.exit(reason.exit);
      ending.abort(reason);
    });
  }
  return ending.signal;
}

/** A closed pipe is not an error: readers such as `head` close it early. */
function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0);
      throw error;
    });
  }
}
