// Writes docs/reference: one page per operation, one for the MCP tools and the OpenAPI document, from the operations
// and the help of the commands. With --check it writes nothing, and fails if a file is out of date.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import packageJson from '../package.json' with { type: 'json' };
import { describeOperations } from '../contract/describe.ts';
import { describeTools } from '../contract/mcp.ts';
import { openApiDocument } from '../contract/openapi.ts';
import { commandHelp } from './reference/help.ts';
import { mcpPage } from './reference/mcp.ts';
import { indexPage, operationPage } from './reference/page.ts';

const ROOT = join(import.meta.dirname, '..');
const FOLDER = join(ROOT, 'docs', 'reference');

const wanted = await build();
const stale = await staleFiles(wanted);
if (process.argv.includes('--check')) {
  for (const name of stale) process.stderr.write(`docs/reference/${name} is out of date\n`);
  if (stale.length > 0) process.stderr.write('run `npm run docs`\n');
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  await write(wanted, stale);
  process.stdout.write(`docs/reference: ${String(wanted.size)} files, ${String(stale.length)} changed\n`);
}

/** Contents by file name. */
async function build(): Promise<ReadonlyMap<string, string>> {
  const operations = describeOperations();
  const files = new Map<string, string>();
  for (const operation of operations) {
    files.set(pageName(operation.name), operationPage(operation, await commandHelp(ROOT, operation.cli.command)));
  }
  files.set('README.md', indexPage(operations.map((each) => ({ ...each, page: pageName(each.name) }))));
  files.set('mcp.md', mcpPage(describeTools(), await commandHelp(ROOT, 'mcp')));
  files.set('openapi.json', `${JSON.stringify(openApiDocument(packageJson.version), undefined, 2)}\n`);
  return files;
}

function pageName(operation: string): string {
  return `${operation.replaceAll('_', '-')}.md`;
}

/** Files that are missing, differ, or belong to no operation. */
async function staleFiles(files: ReadonlyMap<string, string>): Promise<readonly string[]> {
  const present = await readdir(FOLDER).catch(() => []);
  const names = new Set([...files.keys(), ...present]);
  const stale: string[] = [];
  for (const name of names) {
    const content = await readFile(join(FOLDER, name), 'utf8').catch(() => undefined);
    if (content !== files.get(name)) stale.push(name);
  }
  return stale.toSorted();
}

async function write(files: ReadonlyMap<string, string>, stale: readonly string[]): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  for (const name of stale) {
    const content = files.get(name);
    if (content === undefined) await rm(join(FOLDER, name));
    else await writeFile(join(FOLDER, name), content);
  }
}
