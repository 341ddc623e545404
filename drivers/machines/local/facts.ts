// The facts of a local machine: those of this host, with the environment of the machine's runner.
import { constants } from 'node:fs';
import { access, realpath } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { execa } from 'execa';
import type { MachineFacts } from '../provider.ts';

/** Programs whose paths are part of the facts. */
const PROGRAMS = ['claude', 'codex', 'murmur'] as const;
/** git answers within milliseconds; where it hangs, it counts as missing. */
const GIT_LIMIT_MS = 10_000;

/** The facts for a runner with this environment. */
export async function factsOfHost(env: Readonly<Record<string, string | undefined>>): Promise<MachineFacts> {
  const { uid, username, homedir } = userInfo();
  const [home, git, ...paths] = await Promise.all([
    realpath(env['HOME'] ?? homedir),
    gitVersion(env),
    ...PROGRAMS.map((name) => findProgram(name, env['PATH'] ?? '')),
  ]);
  const programs = PROGRAMS.map((name, index) => [name, paths[index]] as const);
  return {
    node: process.execPath,
    user: { uid, name: username },
    home,
    ...(git === undefined ? {} : { git }),
    programs: Object.fromEntries(programs.filter(([, path]) => path !== undefined)) as MachineFacts['programs'],
  };
}

async function gitVersion(env: Readonly<Record<string, string | undefined>>): Promise<string | undefined> {
  const options = { env: { ...env }, extendEnv: false, reject: false, timeout: GIT_LIMIT_MS } as const;
  const { stdout } = await execa('git', ['--version'], options);
  return /\d+(?:\.\d+)+/.exec(stdout ?? '')?.[0];
}

async function findProgram(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(':').filter((each) => isAbsolute(each))) {
    const file = join(folder, name);
    const isProgram = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isProgram) return file;
  }
  return undefined;
}
