// Runs git as the caller: with the caller's environment, configuration and credentials. Only for commands that an
// agent's files cannot influence: clone, ls-remote, credential.
import { spawn } from 'node:child_process';
import { MurmurError } from '../../contract/wire/errors.ts';
import { childOutput } from '../child-output.ts';
import type { ChildOutput } from '../child-output.ts';
import { endGroup } from '../process-group.ts';

export interface CallerGitOptions {
  readonly timeoutMs: number;
  readonly input?: string;
  /** The root directory when absent: git must not find a repository around the runner. */
  readonly cwd?: string;
}

/** Variables that would override the command line. */
const MISLEADING = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_NAMESPACE',
  'GIT_PREFIX',
];

/**
 * `--upload-pack` for a repository on the owner's disk. A partial clone must not fetch missing objects: its
 * configuration would name the program for that.
 */
export const LOCAL_UPLOAD_PACK = 'env GIT_ALLOW_PROTOCOL=none GIT_NO_LAZY_FETCH=1 git-upload-pack';

/** The way of git on a host that has no access of its own. */
export interface GitThroughBroker {
  /** Environment whose configuration leads to the broker, and to nothing of this host's login. */
  readonly env: NodeJS.ProcessEnv;
  /** Program that serves repositories on the caller's disk, as a word for a shell. */
  readonly uploadPack: string;
}

export class CallerGit {
  readonly #machine: string;
  readonly #running = new Set<number>();
  #env: NodeJS.ProcessEnv;
  #uploadPack: string | undefined;
  #config: Promise<readonly ConfigEntry[]> | undefined;

  /** `machine` marks the processes, so that ending the machine finds them. */
  constructor(callerEnv: NodeJS.ProcessEnv, machine: string) {
    this.#machine = machine;
    this.#env = withOurs(callerEnv, machine);
  }

  get env(): NodeJS.ProcessEnv {
    return this.#env;
  }

  /** Serves repositories on the caller's disk, when that is not this one: see `askThrough`. */
  get remoteUploadPack(): string | undefined {
    return this.#uploadPack;
  }

  /** Goes through a broker elsewhere from now on, with nothing of the environment that it was made with. */
  askThrough({ env, uploadPack }: GitThroughBroker): void {
    this.#env = withOurs(env, this.#machine);
    this.#uploadPack = uploadPack;
    this.#config = undefined;
  }

  /**
   * Runs git without a shell. Resolves for any exit status. Throws FAILED_PRECONDITION when git is not installed. After
   * the time limit, ends git and its helpers and throws DEADLINE_EXCEEDED.
   */
  async run(args: readonly string[], options: CallerGitOptions): Promise<ChildOutput> {
    const child = spawn('git', args, { cwd: options.cwd ?? '/', env: this.#env, stdio: 'pipe', detached: true });
    if (child.pid !== undefined) this.#running.add(child.pid);
    try {
      return await childOutput(child, {
        timeoutMs: options.timeoutMs,
        ...(options.input === undefined ? {} : { input: options.input }),
        end: ({ pid }) => endGroup(pid),
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw gitMissing(error);
    } finally {
      if (child.pid !== undefined) this.#running.delete(child.pid);
    }
  }

  /** Kills all running commands; their calls fail. */
  endAll(): void {
    for (const pid of this.#running) endGroup(pid);
  }

  /** The caller's configuration, without that of any repository. Read once. */
  config(): Promise<readonly ConfigEntry[]> {
    this.#config ??= this.#readConfig();
    return this.#config;
  }

  async #readConfig(): Promise<readonly ConfigEntry[]> {
    // Reading configuration uses no network. Ten seconds suffice on a machine under load.
    const { code, stdout } = await this.run(['config', '--includes', '--list', '-z'], { timeoutMs: 10_000 });
    return code === 0 ? parseConfigList(stdout.toString('utf8')) : [];
  }
}

function withOurs(env: NodeJS.ProcessEnv, machine: string): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !MISLEADING.includes(name))),
    // Nobody sits at a terminal to answer, and messages are recognised by their English words.
    GIT_TERMINAL_PROMPT: '0',
    SSH_ASKPASS_REQUIRE: 'never',
    LC_ALL: 'C',
    LANGUAGE: '',
    MURMUR_MACHINE: machine,
  };
}

/** One setting: section and variable in lower case, the subsection as it is. */
export interface ConfigEntry {
  readonly key: string;
  readonly value: string;
}

/** Parses `git config --list -z`. A key without a value is `true`. */
export function parseConfigList(list: string): readonly ConfigEntry[] {
  return list
    .split('\0')
    .filter((entry) => entry !== '')
    .map((entry) => {
      const newline = entry.indexOf('\n');
      return newline < 0
        ? { key: entry, value: 'true' }
        : { key: entry.slice(0, newline), value: entry.slice(newline + 1) };
    });
}

/** The error for a machine without git. */
export function gitMissing(cause: unknown): MurmurError {
  return new MurmurError('FAILED_PRECONDITION', 'git is not installed on the machine, or not on PATH', {
    hint: 'install git',
    cause,
  });
}
