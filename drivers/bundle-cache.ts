// A cache of the bundles that a checkout builds. The key is a hash of the sources and the build options.
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { BuildOptions } from 'esbuild';
import writeFileAtomic from 'write-file-atomic';
import { PACKAGE_ROOT } from '../config/package.ts';

export interface BundleInputs {
  /** First part of the file's name. */
  readonly name: string;
  /** Folders and files, relative to the package, whose TypeScript goes into the bundle. */
  readonly sources: readonly string[];
  /** What else decides the content: versions of the bundler and the libraries, options. */
  readonly salt: readonly string[];
  /**
   * The file's extension; `js` when absent. CommonJS for Node needs `cjs`: a package.json in any parent folder, such as
   * the user's HOME, decides how Node reads `.js`.
   */
  readonly extension?: 'cjs';
}

/** Defines the variables that bundled CommonJS code expects and an ES module lacks. */
export const COMMONJS_SCOPE = [
  "import { createRequire as createRequireOfBundle } from 'node:module';",
  'const require = createRequireOfBundle(import.meta.url);',
  'const __filename = import.meta.filename;',
  'const __dirname = import.meta.dirname;',
].join('\n');

/** A program for Node that esbuild bundles from this package's sources. */
export interface ProgramBundle extends Omit<BundleInputs, 'salt' | 'extension'> {
  /** Relative to the package. */
  readonly entry: string;
  /** CommonJS is written as `.cjs`, an ES module as `.js` with `COMMONJS_SCOPE` at its head. */
  readonly format: 'cjs' | 'esm';
  /** More of esbuild's options. */
  readonly options?: Pick<BuildOptions, 'external' | 'minifySyntax'>;
}

/**
 * The path of the program's bundle: `cachedBundle` with esbuild as its bundler. Only a checkout has esbuild.
 * @param more more of esbuild's options, computed for a build only. The sources contain the code that decides them
 */
export async function programBundle(
  folder: string,
  bundle: ProgramBundle,
  more: () => Promise<BuildOptions> = () => Promise.resolve({}),
): Promise<string> {
  const { name, sources, entry, format, options = {} } = bundle;
  const { build, stop, version } = await import('esbuild');
  const banner = format === 'esm' ? { banner: { js: COMMONJS_SCOPE } } : {};
  const extension = format === 'cjs' ? ({ extension: 'cjs' } as const) : {};
  const inputs = { name, sources, salt: [version, JSON.stringify({ entry, format, options, banner })], ...extension };
  return await cachedBundle(folder, inputs, async () => {
    const built: BuildOptions = {
      absWorkingDir: PACKAGE_ROOT,
      entryPoints: [entry],
      bundle: true,
      platform: 'node',
      format,
      target: 'node22',
      write: false,
      logLevel: 'silent',
      ...banner,
      ...options,
      ...(await more()),
    };
    using _helper = helperOf(stop);
    const { outputFiles } = await build(built);
    const file = outputFiles?.[0];
    if (file === undefined) throw new Error(`esbuild wrote no file for ${entry}`);
    return file.contents;
  });
}

let running = 0;

/**
 * A use of esbuild's helper process, which otherwise runs as long as this process. All builds share it: ending it would
 * break another build off, so the last use ends it.
 */
function helperOf(stop: () => Promise<void>): Disposable {
  running += 1;
  return {
    [Symbol.dispose]: () => {
      running -= 1;
      if (running === 0) void stop();
    },
  };
}

/** Bundles unused for this long are removed: each change of a source adds one. */
const UNUSED_AFTER_MS = 7 * 24 * 60 * 60_000;

/**
 * The path of the bundle for these inputs. `build` makes it when the folder does not have it. Concurrent calls in one
 * process share one build. Two processes may both build: each replaces the file atomically with the same content.
 */
export async function cachedBundle(
  folder: string,
  inputs: BundleInputs,
  build: () => Promise<string | Uint8Array>,
): Promise<string> {
  const file = join(folder, `${inputs.name}-${await fingerprint(inputs)}.${inputs.extension ?? 'js'}`);
  if (await isFile(file)) {
    // `removeUnused` reads the modification time as the time of the last use.
    await utimes(file, new Date(), new Date()).catch(() => undefined);
    return file;
  }
  const making = builds.get(file) ?? make(folder, file, inputs.name, build);
  builds.set(file, making);
  try {
    return await making;
  } finally {
    builds.delete(file);
  }
}

/** Builds in progress, by file: `stop` after one build would end the helper process of another. */
const builds = new Map<string, Promise<string>>();

async function make(
  folder: string,
  file: string,
  name: string,
  build: () => Promise<string | Uint8Array>,
): Promise<string> {
  const content = await build();
  await mkdir(folder, { recursive: true });
  await writeFileAtomic(file, typeof content === 'string' ? content : Buffer.from(content));
  await removeUnused(folder, name);
  return file;
}

async function fingerprint({ sources, salt }: BundleInputs): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(salt));
  return hash
    .update(await digestOf(sources))
    .digest('hex')
    .slice(0, 16);
}

/** Readings in progress, by their sources: programs that are bundled together have the same ones. */
const readings = new Map<string, Promise<string>>();

async function digestOf(sources: readonly string[]): Promise<string> {
  const key = JSON.stringify(sources);
  const reading = readings.get(key) ?? digest(sources);
  readings.set(key, reading);
  try {
    return await reading;
  } finally {
    readings.delete(key);
  }
}

async function digest(sources: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of await typescriptFiles(sources)) {
    hash.update(`\0${relative(PACKAGE_ROOT, file)}\0`).update(await readFile(file));
  }
  return hash.digest('hex');
}

async function typescriptFiles(sources: readonly string[]): Promise<string[]> {
  const lists = sources.map(async (source) => {
    const path = join(PACKAGE_ROOT, source);
    if (await isFile(path)) return [path];
    const entries = await readdir(path, { recursive: true });
    return entries.filter((entry) => entry.endsWith('.ts')).map((entry) => join(path, entry));
  });
  return (await Promise.all(lists)).flat().sort();
}

async function removeUnused(folder: string, name: string): Promise<void> {
  const oldest = Date.now() - UNUSED_AFTER_MS;
  const files = (await readdir(folder)).filter((file) => file.startsWith(`${name}-`) && /\.c?js$/.test(file));
  for (const file of files.map((each) => join(folder, each))) {
    const used = await stat(file).catch(() => undefined);
    if (used !== undefined && used.mtimeMs < oldest) await rm(file, { force: true });
  }
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true;
}
