// An owner with data that no agent may get: files, passwords of several git hosts, settings with tokens. Each secret
// contains a canary that the attacks search for.
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cleanUp } from '../test/runner/fixture.ts';
import { serveHttpOrigin } from '../test/runner/broker/http-origin.ts';

/** Texts that no agent must be able to read. */
export const CANARIES = {
  notes: 'canary-of-the-private-notes',
  payroll: 'canary-of-the-payroll',
  password: 'canary-of-the-password',
  otherPassword: 'canary-of-the-other-hosts-password',
  extraHeader: 'canary-of-the-extra-header',
  insteadOf: 'canary-of-the-rewritten-url',
  proxy: 'canary-of-the-proxy',
  cookie: 'canary-of-the-cookie-file',
  modelKey: 'canary-of-the-model-key',
} as const;

export interface Owner {
  /** HOME, mode 0700. */
  readonly home: string;
  /** A file of mode 0600. */
  readonly notes: string;
  /** A bare repository in a folder of mode 0700. */
  readonly privateRepository: string;
  /** The hostile agent's clone URL, which needs a password. */
  readonly origin: string;
  /** Another repository on the same host. */
  readonly otherRepository: string;
  /** A repository on another host with another password. */
  readonly otherHost: string;
  /** Variables of the owner's shell. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Creates the owner in the folder. `uid` owns all files in HOME; the caller must be root unless it is its own. */
export async function makeOwner(folder: string, uid: number): Promise<Owner> {
  const home = join(folder, 'owner');
  const served = join(folder, 'served');
  const otherServed = join(folder, 'other-served');
  for (const each of [home, served, otherServed]) await mkdir(each, { recursive: true, mode: 0o700 });
  await makeRepository(join(served, 'project.git'), 'a project');
  await makeRepository(join(served, 'other.git'), CANARIES.payroll);
  await makeRepository(join(otherServed, 'payroll.git'), CANARIES.payroll);
  const origin = await serveHttpOrigin(served, 'jane', CANARIES.password);
  const other = await serveHttpOrigin(otherServed, 'jane', CANARIES.otherPassword);
  const privateFolder = join(home, 'private');
  await mkdir(privateFolder, { mode: 0o700 });
  const privateRepository = join(privateFolder, 'payroll.git');
  await makeRepository(privateRepository, CANARIES.payroll);
  const notes = join(home, 'notes.txt');
  await writeFile(notes, `${CANARIES.notes}\n`, { mode: 0o600 });
  await writeFile(join(home, '.bashrc'), '# mine\n', { mode: 0o644 });
  await writeFile(join(home, 'cookies.txt'), `127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\t${CANARIES.cookie}\n`);
  const hosts = [
    [origin.port, CANARIES.password],
    [other.port, CANARIES.otherPassword],
  ] as const;
  const credentials = hosts.map(([port, password]) => `http://jane:${password}@127.0.0.1%3a${String(port)}\n`);
  await writeFile(join(home, '.git-credentials'), credentials.join(''), { mode: 0o600 });
  await writeFile(join(home, '.gitconfig'), gitConfig(home));
  await execa('chown', ['-R', `${String(uid)}:${String(uid)}`, home]);
  // The agent's user passes through it on the way to its machine below.
  await chmod(folder, 0o711);
  return {
    home,
    notes,
    privateRepository,
    origin: `http://127.0.0.1:${String(origin.port)}/project.git`,
    otherRepository: `http://127.0.0.1:${String(origin.port)}/other.git`,
    otherHost: `http://127.0.0.1:${String(other.port)}/payroll.git`,
    env: { https_proxy: `http://jane:${CANARIES.proxy}@127.0.0.1:9`, no_proxy: '127.0.0.1,localhost' },
    close: cleanUp,
  };
}

function gitConfig(home: string): string {
  return [
    '[user]\n\tname = Jane\n\temail = jane@example.com',
    '[credential]\n\thelper = store',
    `[http "https://ci.example.com/"]\n\textraheader = AUTHORIZATION: bearer ${CANARIES.extraHeader}`,
    `[http]\n\tcookieFile = ${join(home, 'cookies.txt')}`,
    `[url "https://jane:${CANARIES.insteadOf}@corp.example.com/"]\n\tinsteadOf = https://corp.example.com/`,
    '[safe]\n\tdirectory = *',
    '',
  ].join('\n');
}

/** Creates a bare repository whose branch `main` has one file with this text. */
async function makeRepository(path: string, text: string): Promise<void> {
  await execa('git', ['init', '--quiet', '--bare', '--initial-branch=main', path]);
  await execa('git', ['config', 'http.receivepack', 'true'], { cwd: path });
  const git = (args: readonly string[], input = '') => execa('git', [...args], { cwd: path, input });
  const blob = (await git(['hash-object', '-w', '--stdin'], text)).stdout;
  const tree = (await git(['mktree'], `100644 blob ${blob}\tREADME\n`)).stdout;
  const author = ['-c', 'user.name=Jane', '-c', 'user.email=jane@example.com'];
  const commit = (await git([...author, 'commit-tree', '-m', 'first', tree])).stdout;
  await git(['update-ref', 'refs/heads/main', commit]);
}
