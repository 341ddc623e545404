// Bundles made in a checkout, kept by the content of what goes into them.
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
   * Of the file: `js` when absent. What Node runs needs `cjs`: a package.json in any folder above, such as one of the user's in
   * HOME, decides what `js` means.
   */
  readonly extension?: 'cjs';
}

/** What bundled CommonJS expects around it, and an ES module does not have. */
export const COMMONJS_SCOPE = [
  "import { createRequire as createRequireOfBundle } from 'node:module';",
  'const require = createRequireOfBundle(import.meta.url);',
  'const __filename = import.meta.filename;',
  'const __dirname = import.meta.dirname;',
].join('\n');

/** A program for Node, made of our sources by esbuild. */
export interface ProgramBundle extends Omit<BundleInputs, 'salt' | 'extension'> {
  /** Relative to the package. */
  readonly entry: string;
  /** CommonJS is written as `.cjs`, an ES module as `.js` with `COMMONJS_SCOPE` at its head. */
  readonly format: 'cjs' | 'esm';
  /** More of esbuild's options. */
  readonly options?: Pick<BuildOptions, 'external' | 'minifySyntax'>;
}

/** The path of the program's bundle in the folder: `cachedBundle`, by the bundler that only a checkout has. */
export async function programBundle(folder: string, bundle: ProgramBundle): Promise<string> {
  const { name, sources, entry, format, options = {} } = bundle;
  const { build, stop, version } = await import('esbuild');
  const banner = format === 'esm' ? { banner: { js: COMMONJS_SCOPE } } : {};
  const extension = format === 'cjs' ? ({ extension: 'cjs' } as const) : {};
  const inputs = { name, sources, salt: [version, JSON.stringify({ entry, format, options, banner })], ...extension };
  return await cachedBundle(folder, inputs, async () => {
    const { outputFiles } = await build({
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
    });
    // Its helper process would stay for as long as ours.
    await stop();
    const [file] = outputFiles;
    if (file === undefined) throw new Error(`esbuild made no file of ${entry}`);
    return file.contents;
  });
}

/** Bundles that nobody has used for this long are removed: each change of a source leaves one behind. */
const UNUSED_AFTER_MS = 7 * 24 * 60 * 60_000;

/**
 * The path of the bundle for these inputs, made by `build` when it is not in the folder: once, when a process asks for it twice
 * at once. Two processes that start at once may both build: the file is replaced whole, with the same content.
 */
export async function cachedBundle(
  folder: string,
  inputs: BundleInputs,
  build: () => Promise<string | Uint8Array>,
): Promise<string> {
  const file = join(folder, `${inputs.name}-${await fingerprint(inputs)}.${inputs.extension ?? 'js'}`);
  if (await isFile(file)) {
    // Its time says when it was last used.
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

/** Under way: the end of one build of esbuild's would end the helper process of another. */
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
  for (const file of await typescriptFiles(sources)) {
    hash.update(`\0${relative(PACKAGE_ROOT, file)}\0`).update(await readFile(file));
  }
  return hash.digest('hex').slice(0, 16);
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
