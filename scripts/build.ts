// Builds what the package publishes, into dist/: the CLI and the MCP server as one bundle each with their lazy parts, the
// processes of the stack, the runner as a single file, and the workflow code.
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { describeOperations } from '../contract/describe.ts';
import { describeTools } from '../contract/mcp.ts';
import { COMMONJS_SCOPE } from '../drivers/bundle-cache.ts';
import { buildWorkflowBundle } from '../worker/workflow-bundle.ts';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');

const COMMON: BuildOptions = {
  absWorkingDir: ROOT,
  outdir: DIST,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node22',
  legalComments: 'none',
  logLevel: 'warning',
};

/**
 * Start-up counts: one file, whose lazily imported parts are not run until they are needed. oclif looks for
 * `typescript` only in a checkout of its own kind; Temporal's client is for `doctor` alone.
 */
async function buildCli(): Promise<void> {
  await build({
    ...COMMON,
    entryPoints: { cli: 'cli/main.ts' },
    minifySyntax: true,
    // ssh is for `doctor` alone as well; the bundler is for checkouts.
    external: ['typescript', '@temporalio/*', 'esbuild', 'ssh2'],
    banner: { js: COMMONJS_SCOPE },
    plugins: [loadLazily(), replaceModules(await replacements())],
  });
}

/** Starts for every session of every client: one file, in which nothing runs that a session may never need. */
async function buildMcp(): Promise<void> {
  await build({
    ...COMMON,
    entryPoints: { mcp: 'mcp/main.ts' },
    minifySyntax: true,
    banner: { js: COMMONJS_SCOPE },
    plugins: [loadLazily(), replaceModules(MCP_REPLACEMENTS)],
  });
}

const MCP_REPLACEMENTS = {
  'mcp/tools.ts': `export const TOOLS = ${JSON.stringify(describeTools())};`,
  // Checks what a client's person was asked for, and we ask for nothing. It takes as long to start as half a Node.
  'node_modules/@modelcontextprotocol/sdk/dist/esm/validation/ajv-provider.js':
    'export class AjvJsonSchemaValidator { getValidator() { throw new Error("no answers of people are checked here"); } }',
};

/** Whole, with their libraries: finding and reading a thousand small files is half of their start. */
async function buildProcesses(): Promise<void> {
  await build({
    ...COMMON,
    entryPoints: {
      supervisor: 'stack/supervisor/main.ts',
      server: 'server/main.ts',
      relay: 'stack/relay/main.ts',
      // Runs on hosts that are reached by ssh, where there is nothing but this file.
      machines: 'drivers/machines/ssh/host/main.ts',
    },
    // Traces are loaded only when they are asked for, ssh only where hosts are configured: it looks for native parts beside it.
    // The bundler is for checkouts.
    external: ['@opentelemetry/*', '@temporalio/interceptors-opentelemetry', 'esbuild', 'ssh2'],
    banner: { js: COMMONJS_SCOPE },
    plugins: [requireBuiltins()],
  });
}

/** Temporal's worker is native code with threads of its own, which look for their files beside them. */
async function buildWorker(): Promise<void> {
  await build({
    ...COMMON,
    entryPoints: { worker: 'worker/main.ts' },
    packages: 'external',
    banner: { js: COMMONJS_SCOPE },
    plugins: [requireBuiltins()],
  });
}

/** One file, on built-ins alone: it is copied to machines. For its format see worker/runner-bundle.ts. */
async function buildRunner(): Promise<void> {
  const runner = { entryPoints: { runner: 'runner/main.ts' }, format: 'cjs', outExtension: { '.js': '.cjs' } } as const;
  await build({ ...COMMON, ...runner, minify: true });
}

/** Modules that compute in a checkout what is known when the package is built. */
async function replacements(): Promise<Readonly<Record<string, string>>> {
  // The CLI needs neither the schemas of whole inputs and outputs nor the texts about errors.
  const descriptions = describeOperations().map(
    ({ input: _in, output: _out, progress: _progress, errors, ...rest }) => ({
      ...rest,
      errors: errors.map(({ code }) => code),
    }),
  );
  return {
    'cli/descriptions.ts': `export const DESCRIPTIONS = ${JSON.stringify(descriptions)};`,
    // Whether this is Linux inside Windows makes no difference to us, and finding out takes 6 ms.
    'node_modules/wsl-utils/index.js': 'export const isWsl = false; export const powerShellPath = undefined;',
    'cli/build-info.ts': `export const COMMIT = ${JSON.stringify(await commit())};`,
  };
}

const isBuiltin = (path: string): boolean => builtinModules.includes(path.replace(/^node:/, ''));

/**
 * Takes what our own modules import of Node's as CommonJS modules take it. Imported as an ES module a built-in runs every
 * lazy part of its own, for the copy of its exports: that of `node:http` loads a whole HTTP client, in 75 ms.
 */
function requireBuiltins(): Plugin {
  return {
    name: 'require-builtins',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /.*/ }, ({ kind, path }) =>
        kind === 'import-statement' && isBuiltin(path) ? { path, namespace: 'builtin' } : undefined,
      );
      onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
        contents: `module.exports = require(${JSON.stringify(path)});`,
        loader: 'js',
      }));
    },
  };
}

/** Packages that oclif loads at its start and needs for help, errors and plugins only. */
const SELDOM_NEEDED = ['clean-stack', 'ejs', 'indent-string', 'string-width', 'tinyglobby', 'widest-line', 'wrap-ansi'];

/**
 * Loads built-ins and seldom needed packages when something of them is first used, not when they are imported, and
 * built-ins as `requireBuiltins` does. Together this is a third of the start-up time.
 */
function loadLazily(): Plugin {
  return {
    name: 'load-lazily',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /.*/ }, ({ importer, kind, namespace, path, resolveDir }) => {
        const isLazy = isBuiltin(path) || SELDOM_NEEDED.includes(path);
        if (!isLazy || kind === 'dynamic-import') return undefined;
        if (namespace !== 'lazy') return { path, namespace: 'lazy', pluginData: { resolveDir, importer } };
        return isBuiltin(path) ? { path, external: true } : undefined;
      });
      onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path, pluginData }) => ({
        contents: lazyModule(path),
        loader: 'js',
        resolveDir: (pluginData as { readonly resolveDir: string }).resolveDir,
      }));
    },
  };
}

/** The exports as a prototype that reads through: esbuild copies own properties at once, and leaves the prototype. */
function lazyModule(path: string): string {
  return `
    const load = () => require(${JSON.stringify(path)});
    const get = (_, key) => (key === '__esModule' ? undefined : load()[key]);
    const through = new Proxy(function () {}, { get, apply: (_, self, args) => Reflect.apply(load(), self, args) });
    module.exports = ${SELDOM_NEEDED.includes(path) ? 'through' : 'Object.create(through)'};
  `;
}

function replaceModules(contents: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'replace-modules',
    setup({ onLoad }) {
      for (const [file, content] of Object.entries(contents)) {
        const filter = new RegExp(`${join(ROOT, file).replaceAll(/[.\\/]/g, '\\$&')}$`);
        onLoad({ filter }, () => ({ contents: content, loader: 'js' }));
      }
    },
  };
}

async function commit(): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)('git', ['rev-parse', '--short=8', 'HEAD'], { cwd: ROOT }).catch(() => ({
    stdout: '',
  }));
  return stdout.trim() === '' ? undefined : stdout.trim();
}

await rm(DIST, { recursive: true, force: true });
await mkdir(DIST, { recursive: true });
await Promise.all([
  buildCli(),
  buildMcp(),
  buildProcesses(),
  buildWorker(),
  buildRunner(),
  buildWorkflowBundle().then((code) => writeFile(join(DIST, 'workflows.js'), code)),
]);
