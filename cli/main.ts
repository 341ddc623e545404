// Entry of the CLI: everything that belongs to the process and nothing else.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { IS_PUBLISHED, PACKAGE_ROOT } from '../stack/programs.ts';
import { Interrupted } from './output/failure.ts';
import { makeTerminal } from './output/terminal.ts';
import { runCli } from './run.ts';

const { name, version } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
  readonly name: string;
  readonly version: string;
};
const commands = IS_PUBLISHED ? 'dist/commands.js' : 'cli/commands.ts';

const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    const reason = new Interrupted(signal);
    if (ending.signal.aborted) process.exit(reason.exit); // asked twice: do not wait for what is being closed
    ending.abort(reason);
  });
}

// A reader that has seen enough, such as `head`, closes the pipe: that is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}

process.exitCode = await runCli(
  process.argv.slice(2),
  {
    env: process.env,
    cwd: process.cwd(),
    terminal: makeTerminal(process.stdout, process.stderr, process.env),
    readStdin: () => text(process.stdin),
    signal: ending.signal,
    version,
  },
  { name, version, root: PACKAGE_ROOT, commands },
);
