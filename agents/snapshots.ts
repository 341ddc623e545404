// Snapshots in the object store: `<prefix>/<seq>-<time>/<n>` are the files, `manifest.json` beside them names them, and
// `<prefix>/latest.json` is the newest manifest. Seq is the journal position that the snapshot covers.
import { posix } from 'node:path';
import { MurmurError } from '../contract/wire/errors.ts';
import { workflowIdOf } from '../contract/wire/identity.ts';
import type { AgentSpec } from '../contract/wire/agent.ts';
import { snapshotsPrefix } from '../contract/wire/object-keys.ts';
import { SNAPSHOT_LIMIT_BYTES } from '../contract/wire/runner.ts';
import type { SnapshotReply } from '../contract/wire/runner.ts';
import type { Machine } from '../drivers/machines/provider.ts';
import type { ObjectStore } from '../drivers/objects/object-store.ts';

/** The newest one, and two before it for whoever finds the newest one wanting. */
const KEPT = 3;
/** The folder of a snapshot, and what lies in it. */
const SNAPSHOT = /^\d{10,}-[0-9a-z]+\//;
/** Files on their way at once: enough to hide the disk. */
const PARALLEL = 4;

/** A snapshot that is kept. */
export interface StoredSnapshot {
  /** Key of the manifest: what `TurnOutcome.snapshot` refers to. */
  readonly key: string;
  readonly seq: number;
}

interface Manifest extends StoredSnapshot {
  /** Paths as the runner named them; the nth lies under the key `<n>`, as a path may hold what a key may not. */
  readonly files: readonly string[];
}

/**
 * Copies a captured snapshot to the object store and answers its key. What is older than the newest three goes. Throws
 * RESOURCE_EXHAUSTED for more than a snapshot may hold: a runner of an earlier build captures everything.
 */
export async function storeSnapshot(
  objects: ObjectStore,
  spec: Pick<AgentSpec, 'identity'>,
  machine: Machine,
  { directory, files, seq }: SnapshotReply,
  limitBytes = SNAPSHOT_LIMIT_BYTES,
): Promise<string> {
  const prefix = snapshotsPrefix(workflowIdOf(spec.identity));
  // A folder of its own for each, also for two of one position: a half-written one must not spoil the one before.
  const folder = `${prefix}/${paddedNumber(seq)}-${Date.now().toString(36)}`;
  let room = limitBytes;
  const bounded = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of source) {
      room -= piece.length;
      if (room < 0) throw new MurmurError('RESOURCE_EXHAUSTED', 'the snapshot holds more than one may');
      yield piece;
    }
  };
  try {
    await inParallel(files, async (file, index) => {
      const content = machine.read(posix.join(directory, file));
      try {
        await objects.putStream(`${folder}/${index.toString()}`, bounded(content));
      } finally {
        content.destroy();
      }
    });
  } catch (error) {
    // Of one that fails each time, each time as much would stay.
    await removeFolder(objects, folder).catch(() => undefined);
    throw error;
  }
  const manifest: Manifest = { key: `${folder}/manifest.json`, seq, files };
  // The manifest after its files, the pointer after the manifest: what is named is there.
  await objects.put(manifest.key, JSON.stringify(manifest));
  await objects.put(latestKey(prefix), JSON.stringify(manifest));
  await removeOld(objects, prefix);
  return manifest.key;
}

/** The newest stored snapshot. */
export async function latestSnapshot(
  objects: ObjectStore,
  spec: Pick<AgentSpec, 'identity'>,
): Promise<StoredSnapshot | undefined> {
  return await readLatest(objects, spec);
}

/** Copies the newest snapshot to the machine; answers its directory there, or undefined when there is none. */
export async function fetchSnapshot(
  objects: ObjectStore,
  spec: AgentSpec,
  machine: Machine,
): Promise<string | undefined> {
  const manifest = await readLatest(objects, spec);
  if (manifest === undefined) return undefined;
  const directory = posix.join(machine.paths.runner, 'restore', paddedNumber(manifest.seq));
  await inParallel(manifest.files, async (file, index) => {
    const stored = await objects.getStream(`${posix.dirname(manifest.key)}/${index.toString()}`);
    if (stored === undefined) throw new Error(`snapshot ${manifest.key} lacks ${file}`);
    try {
      await machine.write(posix.join(directory, file), stored.content);
    } finally {
      stored.content.destroy();
    }
  });
  return directory;
}

async function readLatest(objects: ObjectStore, spec: Pick<AgentSpec, 'identity'>): Promise<Manifest | undefined> {
  const content = await objects.get(latestKey(snapshotsPrefix(workflowIdOf(spec.identity))));
  return content === undefined ? undefined : (JSON.parse(content.toString('utf8')) as Manifest);
}

async function removeFolder(objects: ObjectStore, folder: string): Promise<void> {
  await inParallel(await objects.list(`${folder}/`), (key) => objects.delete(key));
}

async function removeOld(objects: ObjectStore, prefix: string): Promise<void> {
  const keys = await objects.list(`${prefix}/`);
  const folders = keys
    .map((key) => key.slice(prefix.length + 1))
    // Beneath the prefix lies as well what belongs to a child named `snapshots`.
    .filter((key) => SNAPSHOT.test(key))
    .map((key) => key.slice(0, key.indexOf('/')))
    .sort();
  const kept = new Set([...new Set(folders)].slice(-KEPT));
  const old = keys.filter((key) => {
    const name = key.slice(prefix.length + 1);
    return SNAPSHOT.test(name) && !kept.has(name.slice(0, name.indexOf('/')));
  });
  await inParallel(old, (key) => objects.delete(key));
}

function latestKey(prefix: string): string {
  return `${prefix}/latest.json`;
}

/** Sorts as text in the order of the numbers. */
function paddedNumber(seq: number): string {
  return seq.toString().padStart(10, '0');
}

/** Rejects with the first failure once nothing is on its way any more. */
async function inParallel<T>(items: readonly T[], work: (item: T, index: number) => Promise<void>): Promise<void> {
  const queue = [...items.entries()];
  const worker = async (): Promise<void> => {
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next[1], next[0]);
    } catch (error) {
      queue.length = 0;
      throw error;
    }
  };
  const workers = Array.from({ length: Math.min(PARALLEL, items.length) }, worker);
  await Promise.allSettled(workers);
  await Promise.all(workers);
}
