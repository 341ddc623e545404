// MURMUR_HOME: its paths and its creation. Built-ins only: the CLI loads this on every start.
import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, realpathSync, statfsSync, writeFileSync } from 'node:fs';
import type { StatsFs } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { MurmurError } from '../contract/wire/errors.ts';
import type { Environment } from './environment.ts';
import { textOf } from './environment.ts';
import { ensureFolder } from './folder.ts';

/** Absolute paths of the files and folders in MURMUR_HOME. */
export interface HomePaths {
  readonly root: string;
  /** Ports, process ids and addresses of the embedded stack; 0600. */
  readonly stackFile: string;
  /** The owner's token in clear text, for the CLI; 0600. */
  readonly token: string;
  /** The owner's token for the API server: only its hash. */
  readonly tokens: string;
  /** Tokens of agents, and tokens that people created: only hashes. */
  readonly tokenStore: string;
  readonly hostId: string;
  readonly temporal: {
    readonly folder: string;
    readonly database: string;
    /** Certificates and keys of Temporal's relay and of its clients. */
    readonly tls: string;
    /** The key of links to Temporal's Web UI. */
    readonly uiKey: string;
  };
  readonly cache: string;
  readonly logs: {
    readonly folder: string;
    readonly supervisor: string;
    readonly temporal: string;
    readonly worker: string;
    readonly server: string;
    /** Traffic of MCP sessions that were started with --debug. */
    readonly mcp: string;
  };
  readonly objects: string;
  readonly events: string;
  readonly secrets: string;
  /** The installation's key, and the list of agents that were sealed at its first start; 0700. */
  readonly keys: string;
  readonly machines: string;
  /** In a checkout: `murmur` for agents, one folder for each build; all users may read it. */
  readonly programs: string;
}

/** The paths of one MURMUR_HOME. Creates and reads nothing. */
export function homePaths(home: string): HomePaths {
  const root = resolve(home);
  const temporal = join(root, 'temporal');
  const logs = join(root, 'logs');
  return Object.freeze({
    root,
    stackFile: join(root, 'stack.json'),
    token: join(root, 'token'),
    tokens: join(root, 'tokens.json'),
    tokenStore: join(root, 'tokens'),
    hostId: join(root, 'host-id'),
    temporal: Object.freeze({
      folder: temporal,
      database: join(temporal, 'temporal.db'),
      tls: join(temporal, 'tls'),
      uiKey: join(temporal, 'ui-key'),
    }),
    cache: join(root, 'cache'),
    logs: Object.freeze({
      folder: logs,
      supervisor: join(logs, 'supervisor.log'),
      temporal: join(logs, 'temporal.log'),
      worker: join(logs, 'worker.log'),
      server: join(logs, 'server.log'),
      mcp: join(logs, 'mcp.log'),
    }),
    objects: join(root, 'objects'),
    events: join(root, 'events'),
    secrets: join(root, 'secrets'),
    keys: join(root, 'keys'),
    machines: join(root, 'machines'),
    programs: join(root, 'programs'),
  });
}

/** `$HOME`, absolute; without it, the home folder in the user database. */
export function userHome(env: Environment): string {
  return resolve(textOf(env, 'HOME') ?? homedir());
}

/**
 * `$MURMUR_HOME` or `~/.murmur`, absolute and with links resolved. Isolation hides the real folder; a machine whose
 * path contains a link would be hidden with it.
 */
export function murmurHome(env: Environment): string {
  return realPathOf(resolve(textOf(env, 'MURMUR_HOME') ?? join(userHome(env), '.murmur')));
}

/** Resolves links in the existing part of the path. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPathOf(parent), basename(path));
  }
}

/**
 * The cache folder shared by all MURMUR_HOMEs, for the Temporal binary and bundles: `$XDG_CACHE_HOME/murmur`,
 * `~/.cache/murmur`, on macOS `~/Library/Caches/murmur`.
 */
export function userCacheFolder(env: Environment, platform: NodeJS.Platform = process.platform): string {
  const home = userHome(env);
  const fallback = platform === 'darwin' ? join(home, 'Library', 'Caches') : join(home, '.cache');
  return join(resolve(textOf(env, 'XDG_CACHE_HOME') ?? fallback), 'murmur');
}

/**
 * Creates MURMUR_HOME (0700) and its missing folders. Throws FAILED_PRECONDITION, which names the folder and the
 * system's reason, when it cannot be written.
 */
export function makeHome(paths: HomePaths): void {
  try {
    ensureFolder(paths.root, 0o700);
    // An existing folder may be readable for others, but contains tokens and secrets.
    chmodSync(paths.root, 0o700);
    const folders = [paths.temporal.folder, paths.cache, paths.logs.folder, paths.objects, paths.events, paths.secrets];
    for (const folder of [...folders, paths.keys, paths.machines]) ensureFolder(folder, 0o700);
    closeDatabase(paths);
  } catch (error) {
    throw notWritable(paths, error);
  }
}

/** FAILED_PRECONDITION for a failed write to MURMUR_HOME: names the folder and the system's reason. */
export function notWritable(paths: Pick<HomePaths, 'root'>, error: unknown): MurmurError {
  const full = ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '');
  return new MurmurError('FAILED_PRECONDITION', `MURMUR_HOME ${paths.root} cannot be written: ${messageOf(error)}`, {
    hint: full ? FULL_HINT : 'make it writable, or set MURMUR_HOME to a folder of yours',
    cause: error,
  });
}

/** What to do about a full disk. */
export const FULL_HINT = 'free some space, or set MURMUR_HOME to another disk';

/** Space for an empty database of Temporal and its log; without it, Temporal ends as soon as it starts. */
const LEAST_START_BYTES = 8 * 2 ** 20;

type Space = Pick<StatsFs, 'bavail' | 'blocks' | 'bsize'>;

/** Throws FAILED_PRECONDITION when the disk of MURMUR_HOME is too full to start on. */
export function requireSpace({ root }: Pick<HomePaths, 'root'>, spaceOf: (path: string) => Space = statfsSync): void {
  const { bavail, blocks, bsize } = spaceOf(root);
  const free = bavail * bsize;
  // A file system without blocks does not know its space.
  if (free >= LEAST_START_BYTES || blocks === 0) return;
  const left = `${(free / 1e6).toFixed(1)} MB free`;
  throw new MurmurError('FAILED_PRECONDITION', `the disk of MURMUR_HOME ${root} is full: ${left}`, { hint: FULL_HINT });
}

/**
 * Removes all rights except the owner's from the database of the embedded Temporal server. It contains prompts in clear
 * text, and is created with the rights of the caller's umask. SQLite creates its log and index with the database's
 * rights.
 */
function closeDatabase({ temporal }: Pick<HomePaths, 'temporal'>): void {
  for (const ending of ['', '-wal', '-shm']) {
    try {
      chmodSync(`${temporal.database}${ending}`, 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/**
 * The id of this host: 8 hex digits, created once per MURMUR_HOME. Task queues use it, because a host's name may change
 * with its network. Undefined when MURMUR_HOME does not exist yet.
 */
export function readHostId(paths: HomePaths): string | undefined {
  try {
    const id = readFileSync(paths.hostId, 'utf8').trim();
    return /^[0-9a-f]{8}$/.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

/** The id of this host; creates one if missing. Two concurrent processes get the same one. */
export function ensureHostId(paths: HomePaths): string {
  const known = readHostId(paths);
  if (known !== undefined) return known;
  makeHome(paths);
  try {
    writeFileSync(paths.hostId, `${randomBytes(4).toString('hex')}\n`, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const id = readHostId(paths);
  if (id !== undefined) return id;
  throw new MurmurError('FAILED_PRECONDITION', `${paths.hostId} does not hold 8 hex digits`, {
    hint: `remove ${paths.hostId}; Murmur creates a new one`,
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
