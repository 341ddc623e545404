// Builds the published bundles into dist/: the CLI and the MCP server, one file each with their lazy parts, the
// processes of the stack, the runner as one file, and the workflow code.
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
 * One file with a short start-up: lazily imported parts run only when they are needed. oclif uses `typescript` only in
 * development checkouts; only `doctor` uses Temporal's client.
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

/** One file with a short start-up, because each session of each client starts it: rarely needed parts load lazily. */
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
  // Validates answers to questions that a server asks a person; ours asks none. It takes half as long to load as Node.
  'node_modules/@modelcontextprotocol/sdk/dist/esm/validation/ajv-provider.js':
    'export class AjvJsonSchemaValidator { getValidator() { throw new Error("no answers of people are checked here"); } }',
};

/** Bundles with their libraries: finding and reading a thousand small files takes half of the start-up time. */
async function buildProcesses(): Promise<void> {
  await build({
    ...COMMON,
    entryPoints: {
      supervisor: 'stack/supervisor/main.ts',
      server: 'server/main.ts',
      relay: 'stack/relay/main.ts',
      // Runs on hosts that are reached by ssh, where only this file is available.
      machines: 'drivers/machines/ssh/host/main.ts',
    },
    // OpenTelemetry is loaded only if traces are configured, and ssh2 only if hosts are; ssh2 finds native parts beside
    // itself. Only checkouts use the bundler.
    external: ['@opentelemetry/*', '@temporalio/interceptors-opentelemetry', 'esbuild', 'ssh2'],
    banner: { js: COMMONJS_SCOPE },
    plugins: [requireBuiltins()],
  });
}

/** Not bundled with libraries: Temporal's worker is native code whose threads find their files beside themselves. */
async function buildWorker(): Promise<void> {
  await build({
    ...COMMON,
    entryPoints: { worker: 'worker/main.ts' },
    packages: 'external',
    banner: { js: COMMONJS_SCOPE },
    plugins: [requireBuiltins()],
  });
}

/** One file that uses only built-ins, because it is copied to machines. For its format see worker/runner-bundle.ts. */
async function buildRunner(): Promise<void> {
  const runner = { entryPoints: { runner: 'runner/main.ts' }, format: 'cjs', outExtension: { '.js': '.cjs' } } as const;
  await build({ ...COMMON, ...runner, minify: true });
}

/** Replacements for modules whose values are known when the package is built. */
async function replacements(): Promise<Readonly<Record<string, string>>> {
  // The CLI needs neither the schemas of inputs and outputs nor the descriptions of errors.
  const descriptions = describeOperations().map(
    ({ input: _in, output: _out, progress: _progress, errors, ...rest }) => ({
      ...rest,
      errors: errors.map(({ code }) => code),
    }),
  );
  return {
    'cli/descriptions.ts': `export const DESCRIPTIONS = ${JSON.stringify(descriptions)};`,
    // Murmur does not need to detect Linux inside Windows, and the detection takes 6 ms.
    'node_modules/wsl-utils/index.js': 'export const isWsl = false; export const powerShellPath = undefined;',
    'cli/build-info.ts': `export const COMMIT = ${JSON.stringify(await commit())};`,
  };
}

const isBuiltin = (path: string): boolean => builtinModules.includes(path.replace(/^node:/, ''));

/**
 * Makes our modules load built-ins by `require`. Importing a built-in as an ES module runs all its lazy parts to copy
 * its exports: `node:http` loads a whole HTTP client, which takes 75 ms.
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

/** Packages that oclif loads at its start and needs only for help, errors and plugins. */
const SELDOM_NEEDED = ['clean-stack', 'ejs', 'indent-string', 'string-width', 'tinyglobby', 'widest-line', 'wrap-ansi'];

/**
 * Loads built-ins and rarely needed packages at their first use, not at their import; built-ins by `require`, like
 * `requireBuiltins`. This saves a third of the start-up time.
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

/** Puts the exports on a proxy prototype: esbuild copies own properties at once, but not those of the prototype. */
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
