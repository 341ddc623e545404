// Plugins of esbuild that shorten the start of a bundled program.
import { builtinModules } from 'node:module';
import type { Plugin } from 'esbuild';
import { PACKAGE_ROOT } from '../../config/package.ts';

const isBuiltin = (path: string): boolean => builtinModules.includes(path.replace(/^node:/, ''));

/**
 * Makes our modules load built-ins by `require`. Importing a built-in as an ES module runs all its lazy parts to copy
 * its exports: `node:http` loads a whole HTTP client, which takes 75 ms.
 */
export function requireBuiltins(): Plugin {
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
export function loadLazily(): Plugin {
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

/**
 * Replaces modules by JavaScript.
 * @param contents path from the package's root → the module's text
 */
export function replaceModules(contents: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'replace-modules',
    setup({ onLoad }) {
      for (const [file, content] of Object.entries(contents)) {
        // A package may be installed in a folder above ours.
        const path = file.startsWith('node_modules/') ? `/${file}` : `${PACKAGE_ROOT}/${file}`;
        const filter = new RegExp(`${path.replaceAll(/[.\\/]/g, '\\$&')}$`);
        onLoad({ filter }, () => ({ contents: content, loader: 'js' }));
      }
    },
  };
}
