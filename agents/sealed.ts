// Sealed specs: what was decided at spawn, with a signature that only this installation can make. Temporal's history
// cannot be believed, the object store and the key can.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { AgentSpec } from '../contract/wire/agent.ts';
import { workflowIdOf } from '../contract/wire/identity.ts';
import type { SigningKey } from '../drivers/keys/signing-key.ts';
import type { ObjectStore } from '../drivers/objects/object-store.ts';

/** Where seals are kept, and what makes them. */
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
 * What a workflow changes in a spec that it hands on: the prompt is left out where it would only fill the history, and a
 * parent grants an allowance. Every other field, also one of a later build, must be as it was sealed. A prompt's reference
 * is checked where it is read.
 */
const CHANGED_BY_WORKFLOWS: ReadonlySet<string> = new Set(['prompt', 'allowance_usd'] satisfies (keyof AgentSpec)[]);

/** Characters of a digest, at six bits each: two specs that an installation makes do not have the same. */
const DIGEST_LENGTH = 22;

/** The spec with the digest that refers to it. Every spec that is sealed before its agent starts has one. */
export function withSeal(spec: AgentSpec): AgentSpec {
  const { seal: _other, ...content } = spec;
  const seal = createHash('sha256').update(sealedPart(content)).digest('base64url').slice(0, DIGEST_LENGTH);
  return { ...content, seal };
}

/**
 * Seals the spec of an agent that is about to be started. Answers the spec to start it with: that of the first attempt
 * when this spawn was sealed before, so that no attempt breaks the seal of an agent that another one has started.
 */
export async function sealSpec(stores: SealStores, spec: AgentSpec): Promise<AgentSpec> {
  const { objects, key } = stores;
  const agent = workflowIdOf(spec.identity);
  const place = sealKey(agent, spec.spawn_id);
  const sealed: SealedSpec = { version: VERSION, key: key.id, mac: macOf(key, agent, spec), spec };
  if (await objects.create(place, JSON.stringify(sealed))) return spec;
  const known = await readSealedSpec(stores, agent, spec.spawn_id);
  if (known !== undefined) return known;
  // Sealed with a key that this installation no longer has.
  await objects.put(place, JSON.stringify(sealed));
  return spec;
}

/** Removes the seal of an agent that was not started. */
export async function dropSeal({ objects }: Pick<SealStores, 'objects'>, spec: AgentSpec): Promise<void> {
  await objects.delete(sealKey(workflowIdOf(spec.identity), spec.spawn_id));
}

/** The spec as it was sealed; undefined when it was not, or not with this installation's key. */
export async function readSealedSpec(
  stores: SealStores,
  agentId: string,
  spawnId: string,
): Promise<AgentSpec | undefined> {
  const read = await readSeal(stores, agentId, spawnId);
  return 'spec' in read ? read.spec : undefined;
}

/** Like `readSealedSpec`, with what is wrong in the place of undefined. */
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

/** The part of a spec that no workflow changes, as text: equal for equal specs. */
export function sealedPart(spec: AgentSpec): string {
  return canonical(Object.fromEntries(Object.entries(spec).filter(([name]) => !CHANGED_BY_WORKFLOWS.has(name))));
}

/** The first field in which two specs differ that no workflow changes. */
export function changedField(sealed: AgentSpec, given: AgentSpec): string | undefined {
  const valueOf = (spec: object, name: string): string => canonical((spec as Record<string, unknown>)[name] ?? null);
  const names = new Set([...Object.keys(sealed), ...Object.keys(given)]);
  return [...names].find((name) => !CHANGED_BY_WORKFLOWS.has(name) && valueOf(sealed, name) !== valueOf(given, name));
}

/** No agent's record or snapshot lies here, whatever its slug. */
function sealKey(agentId: string, spawnId: string): string {
  return `sealed/${agentId}/${spawnId}.json`;
}

function macOf(key: SigningKey, agentId: string, spec: AgentSpec): string {
  const text = canonical([VERSION, key.id, agentId, spec.spawn_id, spec]);
  return createHmac('sha256', key.derive('seals')).update(text).digest('hex');
}

/** JSON with the fields of objects in order, as it reads after a way through JSON. */
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
