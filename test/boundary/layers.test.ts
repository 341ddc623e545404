import { existsSync, readFileSync } from 'node:fs';
import { builtinModules, isBuiltin as isKnownBuiltin } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it, test } from '@jest/globals';
import { LAYERS, layerOf, mayImport } from '../../layers.ts';
import { importsBelow, importsOf, ROOT, scriptImportsBelow, type Import } from './imports.ts';

function isBuiltin({ specifier }: Import): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

function isPackage(each: Import): boolean {
  return each.target === undefined && !isBuiltin(each);
}

/** `@scope/name/part` → `@scope/name`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function shown(imports: readonly Import[]): readonly string[] {
  return imports.map(({ file, specifier }) => `${file} imports ${specifier}`);
}

describe.each(Object.entries(LAYERS))('layer %s', (layer, { builtins, folders, packages }) => {
  const own = importsBelow(layer).then((all) => all.filter(({ file }) => layerOf(file) === layer));

  it('imports only the layers below it', async () => {
    const wrong = (await own).filter(({ file, target }) => target !== undefined && !mayImport(file, target));
    // Modules about the package itself do not belong to a layer.
    expect(shown(wrong.filter(({ specifier }) => !specifier.endsWith('package.json')))).toEqual([]);
  });

  it('imports each layer and package that it may import', async () => {
    const used = (await own).map(({ specifier, target }) => target ?? packageOf(specifier));
    const unused = [
      ...folders.filter((folder) => !used.some((each) => each.startsWith(`${folder}/`))),
      ...(packages ?? []).filter((name) => !used.includes(name)),
    ];
    expect(unused).toEqual([]);
  });

  it(builtins ? 'may use built-ins by their node: names' : 'uses no built-ins', async () => {
    const used = (await own).filter(isBuiltin);
    const wrong = builtins ? used.filter(({ specifier }) => !specifier.startsWith('node:')) : used;
    expect(shown(wrong)).toEqual([]);
  });

  if (packages !== undefined) {
    it(`uses no package but ${packages.join(', ') || 'none'}`, async () => {
      const wrong = (await own).filter((each) => isPackage(each) && !packages.includes(packageOf(each.specifier)));
      expect(shown(wrong)).toEqual([]);
    });
  }
});

test('the table of layers in AGENTS.md says what each layer may import', () => {
  const lines = readFileSync(join(ROOT, 'AGENTS.md'), 'utf8')
    .split(/^## /m)
    .find((section) => section.startsWith('Layers'));
  const rows = (lines ?? '').split('\n').filter((line) => line.startsWith('| `'));
  const told = rows.flatMap((row) => {
    const [, folders = '', , imports = ''] = row.split('|');
    return namesIn(folders).map((folder) => [folder, namesIn(imports)] as const);
  });
  const allowed = Object.entries(LAYERS).map(([layer, { folders, packages = [] }]) => [
    layer,
    [...folders, ...packages].toSorted(),
  ]);
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(allowed));
});

/** The names in backticks, sorted. */
function namesIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name).toSorted();
}

describe('the tree', () => {
  // Includes type imports: files that need each other's types cannot be read, moved or replaced separately.
  it('has no import cycles', async () => {
    const folders = [...Object.keys(LAYERS), 'abuse', 'bench', 'demo', 'scripts', 'test'];
    const all = (await Promise.all(folders.map(importsBelow))).flat();
    const imported = new Map<string, Set<string>>();
    for (const { file, target } of all) {
      if (target?.endsWith('.ts') !== true) continue;
      imported.set(file, (imported.get(file) ?? new Set()).add(target));
    }
    const circles: string[] = [];
    const done = new Set<string>();
    const follow = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (done.has(file) || path.includes(file)) return;
      for (const next of imported.get(file) ?? []) follow(next, [...path, file]);
      done.add(file);
    };
    for (const file of imported.keys()) follow(file, []);
    expect(circles).toEqual([]);
  });

  // For TypeScript the compiler checks this, and for packages knip.
  it('has JavaScript that imports only existing files and built-ins', async () => {
    const all = (await Promise.all(['bin', 'scripts'].map(scriptImportsBelow))).flat();
    const found = [...all, ...importsOf('jest.config.js')];
    expect(found.length).toBeGreaterThan(0);
    const wrong = found.filter((each) =>
      each.target === undefined
        ? isBuiltin(each) && !isKnownBuiltin(each.specifier)
        : !existsSync(join(ROOT, each.target)),
    );
    expect(shown(wrong)).toEqual([]);
  });
});

describe('start-up', () => {
  /** All modules that run when the module is loaded, except those in `skip`. */
  function loadedBy(entry: string, skip: readonly string[] = [], seen = new Set<string>()): ReadonlySet<string> {
    if (seen.has(entry) || skip.includes(entry)) return seen;
    seen.add(entry);
    if (!entry.endsWith('.ts')) return seen;
    const loaded = importsOf(entry).filter(({ isLazy, isType }) => !isLazy && !isType);
    for (const { specifier, target } of loaded) loadedBy(target ?? specifier, skip, seen);
    return seen;
  }

  it('of the CLI loads neither zod nor Temporal nor a logger', () => {
    // The build replaces the descriptions by plain data.
    const loaded = loadedBy('cli/main.ts', ['cli/descriptions.ts']);
    expect(loaded).toContain('cli/run.ts');
    const heavy = ['zod', 'pino', 'fastify', '@temporalio/client', '@temporalio/envconfig', 'yaml', 'execa'];
    expect(heavy.filter((name) => loaded.has(name))).toEqual([]);
  });

  it('of an MCP session loads no schemas, and no client before the first call', () => {
    // The build replaces the tools by plain data.
    const loaded = loadedBy('mcp/main.ts', ['mcp/tools.ts']);
    expect(loaded).toContain('mcp/session/session.ts');
    const heavy = ['zod', 'yaml', 'client/index.ts', 'contract/operations/index.ts'];
    expect(heavy.filter((name) => loaded.has(name))).toEqual([]);
  });

  it('of the runner loads only built-ins', () => {
    const loaded = [...loadedBy('runner/main.ts')];
    expect(loaded.filter((name) => !name.endsWith('.ts') && !name.startsWith('node:'))).toEqual([]);
  });
});
