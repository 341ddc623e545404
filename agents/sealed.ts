// Sealed specs: what was decided at spawn, with a signature that only this installation can make. Temporal's history
// cannot be believed, the object store and the key can.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { AgentSpec } from '../contract/wire/agent.ts';
import { workflowIdOf } from '../contract/wire/identity.ts';
import type { SigningKey } from '../drivers/keys/signing-key.ts';
import type { ObjectStore } from '../drivers/objects/object-store.ts';

/** The store of seals, and the key that signs them. */
export interface SealStores {
  readonly objects: ObjectStore;
  readonly key: SigningKey;
}

/** An object of `sealed/`. */
interface SealedSpec {
  readonly version: typeof VERSION;
  /** Id of the key. */
  readonly key: string;
  /** HMAC-SHA-256 in hex over version, workflow id, spawn id and the whole spec. */
  readonly mac: string;
  readonly spec: AgentSpec;
}

const VERSION = 1;

/**
 * Fields that a workflow changes when it passes a spec on: it omits the prompt to keep the history small, and a parent
 * sets an allowance. All other fields, even of a later build, must be as sealed. A prompt's reference is checked when
 * the prompt is read.
 */
const CHANGED_BY_WORKFLOWS: ReadonlySet<string> = new Set(['prompt', 'allowance_usd'] satisfies (keyof AgentSpec)[]);

/** Characters of a digest, at six bits each: enough that no two specs of an installation share one. */
const DIGEST_LENGTH = 22;

/**
 * The spec with its digest, by which activities refer to it. Every spec that is sealed before its agent starts has one.
 */
export function withSeal(spec: AgentSpec): AgentSpec {
  const { seal: _other, ...content } = spec;
  const seal = createHash('sha256').update(sealedPart(content)).digest('base64url').slice(0, DIGEST_LENGTH);
  return { ...content, seal };
}

/**
 * Seals the spec of an agent before its start. Returns the spec to start it with. If this spawn was sealed before, that
 * is the spec of the first attempt. A new seal would invalidate that of an agent which the first attempt has started.
 */
export async function sealSpec(stores: SealStores, spec: AgentSpec): Promise<AgentSpec> {
  const { objects, key } = stores;
  const agent = workflowIdOf(spec.identity);
  const place = sealKey(agent, spec.spawn_id);
  const sealed: SealedSpec = { version: VERSION, key: key.id, mac: macOf(key, agent, spec), spec };
  if (await objects.create(place, JSON.stringify(sealed))) return spec;
  const known = await readSealedSpec(stores, agent, spec.spawn_id);
  if (known !== undefined) return known;
  // It was sealed with a key that this installation no longer has.
  await objects.put(place, JSON.stringify(sealed));
  return spec;
}

/** Removes the seal of an agent that was not started. */
export async function dropSeal({ objects }: Pick<SealStores, 'objects'>, spec: AgentSpec): Promise<void> {
  await objects.delete(sealKey(workflowIdOf(spec.identity), spec.spawn_id));
}

/** The sealed spec; undefined if there is none, or none sealed with this installation's key. */
export async function readSealedSpec(
  stores: SealStores,
  agentId: string,
  spawnId: string,
): Promise<AgentSpec | undefined> {
  const read = await readSeal(stores, agentId, spawnId);
  return 'spec' in read ? read.spec : undefined;
}

/** Like `readSealedSpec`, but returns the problem instead of undefined. */
export async function readSeal(
  { objects, key }: SealStores,
  agentId: string,
  spawnId: string,
): Promise<{ readonly spec: AgentSpec } | { readonly problem: string }> {
  const place = sealKey(agentId, spawnId);
  const content = await objects.get(place);
  if (content === undefined) return { problem: `${place} is not in the object store` };
  const sealed = parsed(content.toString('utf8'));
  const changed = { problem: `${place} is not as it was stored` };
  if (sealed?.version !== VERSION || typeof sealed.mac !== 'string') return changed;
  if (sealed.key !== key.id) {
    return { problem: `${place} was sealed with key ${JSON.stringify(sealed.key)}, and the key is ${key.id} now` };
  }
  const { spec } = sealed;
  if (spec === undefined || workflowIdOf(spec.identity) !== agentId || spec.spawn_id !== spawnId) return changed;
  const given = Buffer.from(sealed.mac);
  const wanted = Buffer.from(macOf(key, agentId, spec));
  return given.length === wanted.length && timingSafeEqual(given, wanted) ? { spec } : changed;
}

/** The fields that no workflow changes, as text that is equal for equal specs. */
export function sealedPart(spec: AgentSpec): string {
  return canonical(Object.fromEntries(Object.entries(spec).filter(([name]) => !CHANGED_BY_WORKFLOWS.has(name))));
}

/** The first field that differs between two specs, except the fields that workflows change. */
export function changedField(sealed: AgentSpec, given: AgentSpec): string | undefined {
  const valueOf = (spec: object, name: string): string => canonical((spec as Record<string, unknown>)[name] ?? null);
  const names = new Set([...Object.keys(sealed), ...Object.keys(given)]);
  return [...names].find((name) => !CHANGED_BY_WORKFLOWS.has(name) && valueOf(sealed, name) !== valueOf(given, name));
}

/** No slug leads to a record or snapshot with such a key. */
function sealKey(agentId: string, spawnId: string): string {
  return `sealed/${agentId}/${spawnId}.json`;
}

function macOf(key: SigningKey, agentId: string, spec: AgentSpec): string {
  const text = canonical([VERSION, key.id, agentId, spec.spawn_id, spec]);
  return createHmac('sha256', key.derive('seals')).update(text).digest('hex');
}

/** JSON with sorted fields, equal before and after a JSON round trip. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([left], [right]) => (left < right ? -1 : 1)))
      : each,
  );
}

function parsed(text: string): Partial<SealedSpec> | undefined {
  try {
    return JSON.parse(text) as Partial<SealedSpec>;
  } catch {
    return undefined;
  }
}
