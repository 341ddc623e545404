// Sealed specs: what was decided at spawn, with a signature that only this installation can make. Temporal's history
// cannot be believed, the object store and the key can.
import { createHmac, timingSafeEqual } from 'node:crypto';
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
  { objects, key }: SealStores,
  agentId: string,
  spawnId: string,
): Promise<AgentSpec | undefined> {
  const content = await objects.get(sealKey(agentId, spawnId));
  const sealed = content === undefined ? undefined : parsed(content.toString('utf8'));
  if (sealed?.version !== VERSION || sealed.key !== key.id || typeof sealed.mac !== 'string') return undefined;
  const { spec } = sealed;
  if (spec === undefined || workflowIdOf(spec.identity) !== agentId || spec.spawn_id !== spawnId) return undefined;
  const given = Buffer.from(sealed.mac);
  const wanted = Buffer.from(macOf(key, agentId, spec));
  return given.length === wanted.length && timingSafeEqual(given, wanted) ? spec : undefined;
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
