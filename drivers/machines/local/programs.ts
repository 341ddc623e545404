// The programs in a machine's `bin`.
import { chmod, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Name → absolute path, or the words of a command line. */
export type Programs = Readonly<Record<string, string | readonly string[]>>;

/** Installs or replaces each program: a link for a path, a script for a command line. */
export async function installPrograms(bin: string, programs: Programs): Promise<void> {
  for (const [name, program] of Object.entries(programs)) {
    const file = join(bin, name);
    await rm(file, { force: true });
    if (typeof program === 'string') {
      await symlink(program, file);
    } else {
      await writeFile(file, `#!/bin/sh\nexec ${program.map(quoted).join(' ')} "$@"\n`);
      // The umask applies to the mode of writeFile.
      await chmod(file, 0o755);
    }
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
