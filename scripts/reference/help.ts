// The help of a command as the program itself prints it.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A cold start of the CLI takes a second on a loaded machine. */
const TIMEOUT_MS = 60_000;

/** What `murmur <command> --help` prints, without colours and at a fixed width. */
export async function commandHelp(root: string, command: string): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(root, 'bin', 'murmur.js'), ...command.split(' '), '--help'],
    {
      timeout: TIMEOUT_MS,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', OCLIF_COLUMNS: '100', COLUMNS: '100' },
    },
  );
  return stdout
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trim();
}
