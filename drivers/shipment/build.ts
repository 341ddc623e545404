// How `murmur` is bundled: for the published package, and in a checkout for its agents. Loads the schemas of all
// operations, so it is loaded for a build only.
import type { BuildOptions } from 'esbuild';
import { describeOperations } from '../../contract/describe.ts';
import { describeTools } from '../../contract/mcp.ts';
import { loadLazily, replaceModules } from './esbuild-plugins.ts';

/** The programs behind `bin/murmur.js`. */
export type MurmurProgram = 'cli' | 'mcp';

/**
 * The options of esbuild that give a program, as one file, a short start-up: lazily imported parts run only when they
 * are needed, and values that are known at the build are plain data.
 * @param commit what `murmur version` names; nothing in a checkout, whose sources change
 */
export function murmurBuild(program: MurmurProgram, commit?: string): BuildOptions {
  return {
    minifySyntax: true,
    legalComments: 'none',
    // oclif uses `typescript` only in checkouts. Only `doctor` uses Temporal's client and ssh. Only checkouts bundle.
    external: ['typescript', '@temporalio/*', 'esbuild', 'ssh2'],
    plugins: [loadLazily(), replaceModules(program === 'cli' ? replacedInCli(commit) : replacedInMcp())],
  };
}

function replacedInMcp(): Readonly<Record<string, string>> {
  return {
    'mcp/tools.ts': `export const TOOLS = ${JSON.stringify(describeTools())};`,
    // Validates answers to questions that a server asks a person; ours asks none. It takes half as long to load as
    // Node.
    'node_modules/@modelcontextprotocol/sdk/dist/esm/validation/ajv-provider.js':
      'export class AjvJsonSchemaValidator { getValidator() { throw new Error("no answers of people are checked here"); } }',
  };
}

function replacedInCli(commit: string | undefined): Readonly<Record<string, string>> {
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
    'cli/build-info.ts': `export const COMMIT = ${JSON.stringify(commit)};`,
    // A bundle bundles nothing: this file, with the schemas.
    'drivers/shipment/build.ts': 'export {};',
  };
}
