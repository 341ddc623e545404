// Snapshots in the object store. `<prefix>/<seq>-<time>/<n>` are the files, and `manifest.json` beside them has their
// names. `<prefix>/latest.json` is the newest manifest. Seq is the journal position that the snapshot covers.
import { posix } from 'node:path';
import { MurmurError } from '../contract/wire/errors.ts';
import { workflowIdOf } from '../contract/wire/identity.ts';
import type { AgentSpec } from '../contract/wire/agent.ts';
import { snapshotsPrefix } from '../contract/wire/object-keys.ts';
import { SNAPSHOT_LIMIT_BYTES } from '../contract/wire/runner.ts';
import type { SnapshotReply } from '../contract/wire/runner.ts';
import type { Machine } from '../drivers/machines/provider.ts';
import type { ObjectStore } from '../drivers/objects/object-store.ts';

/** Snapshots to keep: the newest, and two earlier ones in case the newest is not usable. */
const KEPT = 3;
/** Keys of a snapshot's files, below the prefix. */
const SNAPSHOT = /^\d{10,}-[0-9a-z]+\//;
/** Files copied concurrently: enough to hide the disk's latency. */
const PARALLEL = 4;

/** A snapshot in the object store. */
export interface StoredSnapshot {
  /** Key of the manifest, as in `TurnOutcome.snapshot`. */
  readonly key: string;
  readonly seq: number;
}

interface Manifest extends StoredSnapshot {
  /** Paths from the runner. The nth file has the key `<n>`, because a path can contain characters that a key cannot. */
  readonly files: readonly string[];
}

/**
 * Copies a captured snapshot to the object store and returns its key. Deletes all but the newest three. Throws
 * RESOURCE_EXHAUSTED above the size limit, which runners of earlier builds do not check.
 */
export async function storeSnapshot(
  objects: ObjectStore,
  spec: Pick<AgentSpec, 'identity'>,
  machine: Machine,
  { directory, files, seq }: SnapshotReply,
  limitBytes = SNAPSHOT_LIMIT_BYTES,
): Promise<string> {
  const prefix = snapshotsPrefix(workflowIdOf(spec.identity));
  // A new folder even for the same position: an incomplete copy must not damage the previous snapshot.
  const folder = `${prefix}/${paddedNumber(seq)}-${Date.now().toString(36)}`;
  let room = limitBytes;
  const bounded = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of source) {
      room -= piece.length;
      if (room < 0)
        throw new MurmurError(
          'RESOURCE_EXHAUSTED',
          `the snapshot exceeds ${String(limitBytes)} bytes and was not stored`,
        );
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
    // Without this, repeated failures would fill the store.
    await removeFolder(objects, folder).catch(() => undefined);
    throw error;
  }
  const manifest: Manifest = { key: `${folder}/manifest.json`, seq, files };
  // Files, then manifest, then pointer: each object refers only to existing ones.
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

/** Copies the newest snapshot to the machine. Returns its directory there, or undefined if there is none. */
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
    // Other keys below the prefix belong to a child named `snapshots`.
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

/** Padded, so that text order is number order. */
function paddedNumber(seq: number): string {
  return seq.toString().padStart(10, '0');
}

/** Runs the work for all items. After a failure it starts no more, awaits the running ones and rejects. */
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
