// The layers: which folder may import which. oxlint and test/boundary check all imports against this file.

/** What one folder may import. */
export interface Layer {
  readonly folders: readonly string[];
  readonly builtins: boolean;
  readonly packages?: readonly string[];
}

/** Parts of the runner that the host's side uses too. They import no other code of either side. */
const ON_BOTH_SIDES = ['runner/certificates', 'runner/identity', 'runner/isolation', 'runner/repositories'] as const;

/** The broker of git, which runs on the host's side for machines on other hosts. */
const BROKER = ['runner/broker', 'runner/git'] as const;

/**
 * Folder → allowed imports beside its own: folders, and packages where they are restricted. `builtins` allows Node's
 * built-in modules. Without `packages`, every dependency is allowed.
 */
export const LAYERS: Readonly<Record<string, Layer>> = {
  'contract/wire': { folders: [], builtins: false, packages: [] },
  contract: { folders: ['contract/wire'], builtins: false, packages: ['yaml', 'zod'] },
  config: { folders: ['contract'], builtins: true },
  drivers: { folders: ['contract', 'config', ...ON_BOTH_SIDES, ...BROKER], builtins: true },
  runner: {
    folders: ['contract/wire', 'runner/backends', ...ON_BOTH_SIDES],
    builtins: true,
    packages: [],
  },
  // The conformance suite is next to the port.
  'runner/backends': { folders: ['contract/wire', 'runner/isolation'], builtins: true, packages: ['@jest/globals'] },
  'runner/certificates': { folders: ['contract/wire'], builtins: true, packages: [] },
  'runner/isolation': { folders: ['contract/wire'], builtins: true, packages: [] },
  'runner/identity': { folders: ['contract/wire', 'runner/isolation'], builtins: true, packages: [] },
  'runner/repositories': { folders: ['contract/wire'], builtins: true, packages: [] },
  agents: { folders: ['contract', 'config', 'drivers', ...ON_BOTH_SIDES], builtins: true },
  activities: { folders: ['contract', 'config', 'drivers', 'agents'], builtins: true },
  workflows: { folders: ['contract/wire'], builtins: false, packages: ['@temporalio/workflow', '@temporalio/common'] },
  worker: {
    folders: ['contract', 'config', 'drivers', 'agents', 'activities', 'workflows'],
    builtins: true,
  },
  client: { folders: ['contract'], builtins: true, packages: ['eventsource-parser', 'zod'] },
  'mcp/session': { folders: ['contract'], builtins: false, packages: ['@modelcontextprotocol/sdk'] },
  mcp: {
    folders: ['contract', 'config', 'client', 'mcp/session'],
    builtins: true,
    packages: ['@modelcontextprotocol/sdk'],
  },
  server: { folders: ['contract', 'config', 'drivers', 'agents', 'mcp/session', ...ON_BOTH_SIDES], builtins: true },
  stack: { folders: ['contract', 'config', 'drivers', ...ON_BOTH_SIDES], builtins: true },
  cli: { folders: ['contract', 'config', 'client', 'stack'], builtins: true },
};

/** Files that may read the environment; they pass it to the configuration. */
export const ENTRIES: readonly string[] = [
  '**/main.ts',
  'bin/**',
  'scripts/**',
  'demo/**',
  'bench/**',
  'abuse/**',
  'test/**',
];

/** The most specific layer of a file, by its path from the root; undefined outside the layers. */
export function layerOf(file: string): string | undefined {
  return Object.keys(LAYERS)
    .filter((layer) => file === layer || file.startsWith(`${layer}/`))
    .sort((a, b) => b.length - a.length)[0];
}

/** Whether files of `from` may import the file `to`, both by their paths from the root. */
export function mayImport(from: string, to: string): boolean {
  const layer = layerOf(from);
  if (layer === undefined) return true;
  const allowed = [layer, ...(LAYERS[layer]?.folders ?? [])];
  return allowed.some((folder) => to.startsWith(`${folder}/`));
}
