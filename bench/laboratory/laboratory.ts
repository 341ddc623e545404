// Everything that the measures share: one Temporal server, one model and one bare worker for the floors and, unless only
// floors are asked for, one embedded stack. Imports the laboratory's parts, @temporalio/client, config's path search and
// the packing of scripts/test.
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
  /** Scratch space, removed at the end. */
  readonly directory: string;
  /** Clone URL of a small repository. */
  readonly repository: string;
  /** Path of the agent program. */
  readonly claude: string;
  readonly model: BenchModel;
  /** A server of the floors' own, plain and beside ours: what stands before ours must not slow them. */
  readonly temporal: { readonly address: string; readonly namespace: string; readonly client: Client };
  readonly bare: BareWorker;
  /** Throws when only floors are measured. */
  stack(): Stack;
  /** A name that nothing in this run has. */
  name(prefix: string): string;
  /** Ends all that was started and removes the scratch space. */
  close(): Promise<void>;
}

/** A first start of the server makes its database: some seconds on a slow disk. */
const CONNECT_MS = 30_000;

/** Resolves when everything runs; what had started by then is ended when something does not. */
export async function openLaboratory(options: {
  readonly packageRoot: string;
  readonly floorsOnly: boolean;
  /** One that is open: its model, repository and floors are shared. It must be closed later than this one. */
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

/** What does not depend on the build that is measured; `closing` gets how each part is ended. */
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

/** What is measured is what users get. */
async function publish(packageRoot: string, folder: string): Promise<string> {
  return unpackPackage(await packPackage(packageRoot, folder), packageRoot, folder);
}

const FILES = 50;

/** Makes a bare repository with a few files on `main`; resolves with its clone URL. */
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
