// The layers: which folder may import which. oxlint and test/boundary check all imports against this file.

/** What one folder may import. */
export interface Layer {
  readonly folders: readonly string[];
  readonly builtins: boolean;
  readonly packages?: readonly string[];
}

/**
 * Folder → allowed imports beside its own: folders, and packages where they are restricted. `builtins` allows Node's
 * built-in modules. Without `packages`, every dependency is allowed.
 */
export const LAYERS: Readonly<Record<string, Layer>> = {
  'contract/wire': { folders: [], builtins: false, packages: [] },
  contract: { folders: ['contract/wire'], builtins: false, packages: ['yaml', 'zod'] },
  config: { folders: ['contract'], builtins: true },
  // These parts of the runner also serve the host's side. They import no other code of either side.
  'runner/certificates': { folders: [], builtins: true, packages: [] },
  'runner/isolation': { folders: ['contract/wire'], builtins: true, packages: [] },
  'runner/repositories': { folders: ['contract/wire'], builtins: true, packages: [] },
  'runner/identity': { folders: ['contract/wire', 'runner/isolation'], builtins: true, packages: [] },
  // The conformance suite is next to the port.
  'runner/backends': { folders: ['contract/wire', 'runner/isolation'], builtins: true, packages: ['@jest/globals'] },
  runner: {
    folders: [
      'contract/wire',
      'runner/backends',
      'runner/certificates',
      'runner/identity',
      'runner/isolation',
      'runner/repositories',
    ],
    builtins: true,
    packages: [],
  },
  drivers: {
    folders: [
      'contract',
      'config',
      'runner/identity',
      'runner/isolation',
      'runner/repositories',
      // The host runs the git broker for machines on other hosts.
      'runner/broker',
      'runner/git',
    ],
    builtins: true,
  },
  agents: { folders: ['contract', 'drivers', 'runner/repositories'], builtins: true },
  activities: { folders: ['contract', 'drivers', 'agents'], builtins: true },
  workflows: { folders: ['contract/wire'], builtins: false, packages: ['@temporalio/workflow', '@temporalio/common'] },
  worker: { folders: ['contract', 'config', 'drivers', 'agents', 'activities'], builtins: true },
  client: { folders: ['contract'], builtins: true, packages: ['eventsource-parser', 'zod'] },
  'mcp/session': { folders: ['contract'], builtins: false, packages: ['@modelcontextprotocol/sdk'] },
  mcp: {
    folders: ['contract', 'config', 'client', 'mcp/session'],
    builtins: true,
    packages: ['@modelcontextprotocol/sdk'],
  },
  server: { folders: ['contract', 'config', 'drivers', 'agents', 'mcp/session'], builtins: true },
  stack: {
    folders: ['contract', 'config', 'drivers', 'runner/certificates', 'runner/identity', 'runner/isolation'],
    builtins: true,
  },
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
