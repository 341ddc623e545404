// What all measures share: one Temporal server, one model and one bare worker for the floors, and one embedded stack
// unless only floors are measured. Imports the laboratory's parts, @temporalio/client, config's path search and
// scripts/test.
import path from 'node:path';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { findClaude } from '../../config/programs.ts';
import { packPackage, unpackPackage } from '../../scripts/test/package.ts';
import { startBareWorker } from './bare-worker.ts';
import type { BareWorker } from './bare-worker.ts';
import { startDevServer } from './dev-server.ts';
import { startModel } from './model.ts';
import type { BenchModel } from './model.ts';
import { startStack } from './stack.ts';
import type { Stack } from './stack.ts';

export interface Laboratory {
  /** Temporary folder, removed at the end. */
  readonly directory: string;
  /** Clone URL of a small repository. */
  readonly repository: string;
  /** Path of the agent program. */
  readonly claude: string;
  readonly model: BenchModel;
  /** A separate server for the floors, without a relay, which would slow them. */
  readonly temporal: { readonly address: string; readonly namespace: string; readonly client: Client };
  readonly bare: BareWorker;
  /** Throws if only floors are measured. */
  stack(): Stack;
  /** A name that is unique in this run. */
  name(prefix: string): string;
  /** Ends all processes and removes the temporary folder. */
  close(): Promise<void>;
}

/** The server's first start creates its database, which takes some seconds on a slow disk. */
const CONNECT_MS = 30_000;

/** Starts everything. If a part does not start, the others are ended. */
export async function openLaboratory(options: {
  readonly packageRoot: string;
  readonly floorsOnly: boolean;
  /** An open laboratory whose model, repository and floors are shared. It must be closed after this one. */
  readonly beside?: Laboratory;
}): Promise<Laboratory> {
  const closing: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const step of closing.splice(0).reverse()) {
      await step().catch((error: unknown) => process.stderr.write(`cleaning up: ${String(error)}\n`));
    }
  };
  try {
    const directory = await mkdtemp(path.join(tmpdir(), 'murmur-bench-'));
    closing.push(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
    const { packageRoot, floorsOnly, beside } = options;
    const shared = beside ?? (await openShared(directory, packageRoot, closing));
    const bin = floorsOnly ? undefined : await publish(packageRoot, path.join(directory, 'published'));
    const stack = bin === undefined ? undefined : await startStack({ bin, directory, modelUrl: shared.model.url });
    if (stack !== undefined) closing.push(() => stack.stop());
    return {
      ...shared,
      ...{ directory, close },
      stack: () => {
        if (stack === undefined) throw new Error('no stack was started: only floors are measured');
        return stack;
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Starts the parts that do not depend on the measured build. Adds to `closing` how to end each. */
async function openShared(
  directory: string,
  packageRoot: string,
  closing: (() => Promise<unknown>)[],
): Promise<Pick<Laboratory, 'repository' | 'claude' | 'model' | 'temporal' | 'bare' | 'name'>> {
  const repository = await makeRepository(path.join(directory, 'repository'));
  const claude = findClaude(process.env);
  if (claude === undefined) throw new Error('no `claude` on PATH: run `npm ci` and start the bench by `npm run bench`');
  const model = await startModel();
  closing.push(() => model.stop());
  const server = await startDevServer(directory, packageRoot);
  closing.push(() => server.stop());
  const connection = await Connection.connect({ address: server.address, connectTimeout: CONNECT_MS });
  closing.push(() => connection.close());
  const client = new Client({ connection, namespace: server.namespace });
  const bare = await startBareWorker(server.address, 'bench-bare', directory);
  closing.push(() => bare.stop());
  let names = 0;
  return {
    ...{ repository, claude, model, bare },
    temporal: { address: server.address, namespace: server.namespace, client },
    name: (prefix) => {
      names += 1;
      return `${prefix}-${names.toString()}`;
    },
  };
}

/** Packs the product, because the benchmark measures what users get. */
async function publish(packageRoot: string, folder: string): Promise<string> {
  return unpackPackage(await packPackage(packageRoot, folder), packageRoot, folder);
}

const FILES = 50;

/** Creates a bare repository with a few files on `main`. Resolves with its clone URL. */
async function makeRepository(directory: string): Promise<string> {
  const seed = path.join(directory, 'seed');
  const origin = path.join(directory, 'origin.git');
  await mkdir(seed, { recursive: true });
  const git = async (...args: string[]) =>
    promisify(execFile)('git', ['-C', seed, '-c', 'user.name=bench', '-c', 'user.email=bench@localhost', ...args]);
  await git('init', '--quiet', '--initial-branch=main');
  for (let index = 0; index < FILES; index += 1) {
    await writeFile(path.join(seed, `file-${index.toString()}.txt`), `line ${index.toString()}\n`.repeat(100));
  }
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'sample');
  await git('clone', '--quiet', '--bare', seed, origin);
  return `file://${origin}`;
}
