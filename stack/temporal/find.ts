// Finds a Temporal server binary, or makes one. The order is the cheapest first: PATH, caches, download, build.
import { access, constants } from 'node:fs/promises';
import { ensureFolder } from '../../config/folder.ts';
import { findProgram } from '../../config/programs.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { buildTemporal } from './build.ts';
import { cachedBinary, exists, makeCached } from './cache.ts';
import { downloadTemporal } from './download.ts';
import { TEMPORAL_RELEASE, serverVersionIn, serverVersionProblem } from './release.ts';
import { run } from './run.ts';

export interface TemporalBinary {
  readonly path: string;
  /** Version of the server inside. */
  readonly version: string;
  readonly source: 'PATH' | 'cache' | 'download' | 'build';
}

export interface FindTemporalOptions {
  /** PATH and what Go needs. */
  readonly env: NodeJS.ProcessEnv;
  /** Folders to search, in order. A new binary is stored in the first writable one. */
  readonly cacheDirs: readonly string[];
  readonly packageRoot: string;
  /** Called with a line for each step that takes long. */
  readonly onProgress: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** Download site; the official one when absent. */
  readonly downloadUrl?: string;
}

/** A program that takes longer for `--version` is not usable. */
const VERSION_TIMEOUT_MS = 20_000;

/**
 * An existing binary, on PATH or in a cache, without downloading or building. `rejected` says why each other candidate
 * cannot be used.
 */
export async function lookUpTemporal(
  options: Pick<FindTemporalOptions, 'env' | 'cacheDirs'>,
): Promise<{ readonly found?: TemporalBinary; readonly rejected: readonly string[] }> {
  const rejected: string[] = [];
  const onPath = findProgram(options.env, 'temporal');
  const candidates = [
    ...(onPath === undefined ? [] : [{ path: onPath, source: 'PATH' as const }]),
    ...options.cacheDirs.map((dir) => ({ path: cachedBinary(dir), source: 'cache' as const })),
  ];
  for (const { path, source } of candidates) {
    if (!(await exists(path))) continue;
    const verdict = await judge(path);
    if ('version' in verdict) return { found: { path, source, version: verdict.version }, rejected };
    rejected.push(`${path} ${verdict.problem}`);
  }
  if (onPath === undefined) rejected.unshift('no `temporal` on PATH');
  return { rejected };
}

/**
 * Returns a binary of a supported version. Downloads or builds one if necessary. Throws FAILED_PRECONDITION that names
 * everything that was tried.
 */
export async function findTemporal(options: FindTemporalOptions): Promise<TemporalBinary> {
  const { found, rejected } = await lookUpTemporal(options);
  if (found !== undefined) return found;
  const cacheDir = await firstWritable(options.cacheDirs);
  const tried: string[] = [...rejected, `nothing in ${options.cacheDirs.join(' or ')}`];
  let source: TemporalBinary['source'] = 'cache';
  const make = async (target: string): Promise<void> => {
    source = await downloadOrBuild(target, tried, options);
  };
  const path = await makeCached(cacheDir, make, () => {
    options.onProgress('another process is getting the Temporal CLI: waiting for it');
  });
  const verdict = await judge(path);
  if ('version' in verdict) return { path, source, version: verdict.version };
  throw notFound([...tried, `${path} ${verdict.problem}`]);
}

async function downloadOrBuild(
  target: string,
  tried: string[],
  options: FindTemporalOptions,
): Promise<'download' | 'build'> {
  try {
    const { onProgress, signal } = options;
    const baseUrl = options.downloadUrl === undefined ? {} : { baseUrl: options.downloadUrl };
    await downloadTemporal(target, { ...baseUrl, onProgress, signal });
    return 'download';
  } catch (error) {
    options.signal?.throwIfAborted();
    tried.push(`download: ${reasonOf(error)}`);
  }
  const go = findProgram(options.env, 'go');
  if (go === undefined) throw notFound([...tried, 'build: no `go` on PATH']);
  try {
    await buildTemporal(target, { ...options, go });
    return 'build';
  } catch (error) {
    options.signal?.throwIfAborted();
    throw notFound([...tried, `build: ${reasonOf(error)}`]);
  }
}

async function judge(path: string): Promise<{ version: string } | { problem: string }> {
  try {
    const { code, stdout } = await run(path, ['--version'], { timeoutMs: VERSION_TIMEOUT_MS });
    if (code !== 0) return { problem: 'does not run' };
    const version = serverVersionIn(stdout);
    const problem = serverVersionProblem(version);
    return version === undefined || problem !== undefined ? { problem: problem ?? 'has no version' } : { version };
  } catch (error) {
    return { problem: `does not run: ${reasonOf(error)}` };
  }
}

async function firstWritable(dirs: readonly string[]): Promise<string> {
  for (const dir of dirs) {
    try {
      ensureFolder(dir);
      await access(dir, constants.W_OK);
      return dir;
    } catch {
      // The next folder may be writable.
    }
  }
  throw new MurmurError('FAILED_PRECONDITION', `no cache folder is writable: ${dirs.join(', ')}`, {
    hint: 'make one of them writable, or put a `temporal` on PATH',
  });
}

function notFound(tried: readonly string[]): MurmurError {
  return new MurmurError('FAILED_PRECONDITION', `no Temporal server to start: ${tried.join('; ')}`, {
    hint: programHint(),
    details: { tried },
  });
}

/** What to do without a Temporal server. */
export function programHint(): string {
  return (
    `install the Temporal CLI ${TEMPORAL_RELEASE.cli} on PATH (https://temporal.io/setup/install-temporal-cli), ` +
    'install Go so that it can be built, or set TEMPORAL_ADDRESS to a running server'
  );
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
