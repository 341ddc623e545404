// Everything that the measures share: one Temporal server, one model, one bare worker and, unless only floors are
// asked for, one embedded stack. Imports the laboratory's parts, @temporalio/client, config's path search and
// the packing of scripts/test.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { findClaude } from '../../config/programs.ts';
import { packPackage, unpackPackage } from '../../scripts/test/package.ts';
import { startBareWorker, type BareWorker } from './bare-worker.ts';
import { startDevServer } from './dev-server.ts';
import { startModel, type BenchModel } from './model.ts';
import { makeRepository } from './repository.ts';
import { startStack, type Stack } from './stack.ts';

export interface Laboratory {
  /** Scratch space, removed at the end. */
  readonly directory: string;
  /** Clone URL of a small repository. */
  readonly repository: string;
  /** Path of the agent program. */
  readonly claude: string;
  readonly model: BenchModel;
  /** The server of the floors: as ours is, without the relay before it. */
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
    const repository = await makeRepository(path.join(directory, 'repository'));
    const claude = findClaude(process.env);
    if (claude === undefined)
      throw new Error('no `claude` on PATH: run `npm ci` and start the bench by `npm run bench`');
    const model = await startModel();
    closing.push(() => model.stop());

    const { packageRoot, floorsOnly } = options;
    const bin = floorsOnly ? undefined : await publish(packageRoot, path.join(directory, 'published'));
    const stack = bin === undefined ? undefined : await startStack({ bin, directory, modelUrl: model.url });
    if (stack !== undefined) closing.push(() => stack.stop());
    const server = await startDevServer(directory, packageRoot);
    closing.push(() => server.stop());

    const connection = await Connection.connect({ address: server.address, connectTimeout: CONNECT_MS });
    closing.push(() => connection.close());
    const client = new Client({ connection, namespace: server.namespace });
    const bare = await startBareWorker(server.address, 'bench-bare', directory);
    closing.push(() => bare.stop());

    let names = 0;
    return {
      ...{ directory, repository, claude, model, bare, close },
      temporal: { address: server.address, namespace: server.namespace, client },
      stack: () => {
        if (stack === undefined) throw new Error('no stack was started: only floors are measured');
        return stack;
      },
      name: (prefix) => {
        names += 1;
        return `${prefix}-${names.toString()}`;
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What is measured is what users get. */
async function publish(packageRoot: string, folder: string): Promise<string> {
  return unpackPackage(await packPackage(packageRoot, folder), packageRoot, folder);
}
