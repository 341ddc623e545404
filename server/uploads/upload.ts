// Stores an upload, reports it to its agent, and finds it again.
import { addressOfIdentity } from '../../agents/names.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { Caller } from '../../contract/wire/rights.ts';
import { absolutePathOf, workflowIdOf } from '../../contract/wire/identity.ts';
import { uploadKeys } from '../../contract/wire/object-keys.ts';
import { uploadNameProblem } from '../../contract/wire/uploads.ts';
import type { ObjectStream } from '../../drivers/objects/object-store.ts';
import { contextOf } from '../address.ts';
import { signalAgent } from '../../agents/messages.ts';
import type { ServerParts } from '../parts.ts';

/** Stored beside the content. */
interface UploadRecord {
  readonly filename: string;
  readonly content_type: string;
  readonly bytes: number;
  readonly workspace: string;
  /** Account, or absolute path of the agent that shared it. */
  readonly by: string;
  /** ISO 8601. */
  readonly at: string;
}

/** An arriving file. */
export interface Upload {
  readonly filename: string;
  readonly contentType: string;
  readonly workspace: string | undefined;
  readonly source: AsyncIterable<Uint8Array>;
}

/** The sender of an upload. */
export interface Sender {
  /** The caller's idempotency key. A repeated upload with this key gets the same URL. */
  readonly id: string;
  readonly caller: Caller;
  readonly from: string;
  /** URL of the server for people, without trailing slash. */
  readonly base: string;
}

/** 192 bits of a signature, which cannot be guessed. */
const ID = /^[A-Za-z0-9_-]{32}$/;

/**
 * Stores the file and returns its URL. Throws INVALID_ARGUMENT for an invalid name, RESOURCE_EXHAUSTED when an agent
 * exceeds its limit, and the errors of the source.
 */
export async function storeUpload(parts: ServerParts, upload: Upload, sender: Sender): Promise<string> {
  const { filename, contentType } = upload;
  const problem = uploadNameProblem(filename);
  if (problem !== undefined) throw new MurmurError('INVALID_ARGUMENT', problem, { details: { field: 'filename' } });
  const { workspace } = contextOf(parts, sender.caller, upload.workspace);
  const id = parts.signer.sign('upload', JSON.stringify([sender.from, sender.id, filename])).slice(0, 32);
  const keys = uploadKeys(id);
  const bytes = await storeContent(parts, keys, upload.source, sender);
  const record: UploadRecord = {
    filename,
    content_type: contentType,
    bytes,
    workspace,
    by: sender.from,
    at: new Date().toISOString(),
  };
  // Written last: an upload with a record is complete.
  await parts.objects.put(keys.about, JSON.stringify(record));
  const url = `${sender.base}/uploads/${id}/${encodeURIComponent(filename)}`;
  await reportToAgent(parts, sender, { filename, url, bytes });
  return url;
}

/** Stores the content. Counts it for agents. */
async function storeContent(
  { allowances, objects }: ServerParts,
  keys: ReturnType<typeof uploadKeys>,
  source: AsyncIterable<Uint8Array>,
  sender: Sender,
): Promise<number> {
  const store = async (pieces: AsyncIterable<Uint8Array>): Promise<number> =>
    (await objects.putStream(keys.content, pieces)).bytes;
  const { agent } = sender.caller;
  if (agent === undefined) return await store(source);
  allowances.rates.take(sender, absolutePathOf(agent));
  const before = await objects.get(keys.about);
  const replaced = before === undefined ? 0 : (JSON.parse(before.toString('utf8')) as UploadRecord).bytes;
  return await allowances.uploads.count(workflowIdOf(agent), source, replaced, store);
}

/** An upload by an agent appears on its timeline. */
async function reportToAgent(
  parts: ServerParts,
  { id, caller, from }: Sender,
  upload: { readonly filename: string; readonly url: string; readonly bytes: number },
): Promise<void> {
  if (caller.agent === undefined) return;
  await signalAgent(parts, addressOfIdentity(caller.agent), 'upload', { id, from, ...upload });
}

/** The file with this id and name; undefined when it does not exist. */
export async function findUpload(
  parts: ServerParts,
  id: string,
  filename: string,
): Promise<(UploadRecord & ObjectStream) | undefined> {
  if (!ID.test(id)) return undefined;
  const keys = uploadKeys(id);
  const about = await parts.objects.get(keys.about);
  if (about === undefined) return undefined;
  const record = JSON.parse(about.toString('utf8')) as UploadRecord;
  if (record.filename !== filename) return undefined;
  const content = await parts.objects.getStream(keys.content);
  return content === undefined ? undefined : { ...record, ...content };
}
