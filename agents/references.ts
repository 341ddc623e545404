// Checks the references in a spec. Specs come from Temporal's history, which any client of Temporal can write. A
// reference is accepted only if it is derived from the agent's identity and spawn id.
import type { AgentSpec } from '../contract/wire/agent.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { fanoutWorkflowId, plannedSpawnId } from '../contract/wire/fanout/plan.ts';
import { flightKey } from '../contract/wire/flight/messages.ts';
import { parentOf, parseWorkflowId, slugProblem, workflowIdOf } from '../contract/wire/identity.ts';
import { machineName, secretsRef, tokenId } from './names.ts';
import { textNameStart, textsPrefix } from './texts.ts';

/**
 * Throws PERMISSION_DENIED, with the field's name, for a spec that refers to a machine, secrets, token, flight or text
 * of another agent. Also throws it for an invalid spec.
 */
export function checkReferences(spec: AgentSpec): void {
  const problem = referenceProblem(spec);
  if (problem !== undefined) throw notSealed(agentOf(spec), problem);
}

/** The error for a spec that this installation has not sealed. */
export function notSealed(agentId: string, problem: string): MurmurError {
  return new MurmurError(
    'PERMISSION_DENIED',
    `the spec of agent ${JSON.stringify(`/${agentId}`)} is not sealed by this installation: ${problem}`,
    {
      hint: 'start agents with `murmur spawn`; `murmur kill` ends this one and harms no other',
      details: { agent: agentId },
    },
  );
}

function referenceProblem(spec: AgentSpec): string | undefined {
  const id = agentOf(spec);
  if (parseWorkflowId(id) === undefined) return 'its identity is not valid';
  const { spawn_id: spawn, machine, secrets, token_id: token, flight, append_system_prompt: appended } = spec;
  if (!isSpawnId(spawn)) return 'its spawn id is not valid';
  const own: readonly (readonly [string, string | undefined, string])[] = [
    ['machine.name', (machine as Partial<AgentSpec['machine']> | undefined)?.name ?? '', machineName(id, spawn)],
    ['secrets.ref', secrets?.ref, secretsRef(id, spawn)],
    ['token_id', token, tokenId(id, spawn)],
    ['flight.key', flight?.key, flightKey(id, spawn)],
  ];
  const wrong = own.find(([, value, derived]) => value !== undefined && value !== derived);
  if (wrong !== undefined) return `${wrong[0]} is ${JSON.stringify(wrong[1])}, which is not the agent's own`;
  const ref = appended?.ref;
  if (ref === undefined || isOwnText(id, ref) || isTextOfFanout(spec, ref)) return undefined;
  return `append_system_prompt.ref is ${JSON.stringify(ref)}, which is not the agent's own`;
}

/** Whether it may be a part of keys, also of a value from a history. */
export function isSpawnId(spawn: unknown): spawn is string {
  return typeof spawn === 'string' && /^[A-Za-z0-9_-]{1,120}$/.test(spawn);
}

/** Whether the object store key is that of a text of the agent. */
export function isOwnText(agentId: string, ref: string): boolean {
  const prefix = textsPrefix(agentId);
  // One segment: deeper keys belong to a child named `texts`.
  return ref.startsWith(prefix) && /^[A-Za-z0-9._-]+\.txt$/.test(ref.slice(prefix.length));
}

/** Whether it is the common text of the agent's fan-out, which is stored once, with the first agent. */
function isTextOfFanout({ identity, spawn_id: spawn, slot }: AgentSpec, ref: string): boolean {
  if (slot === undefined) return false;
  const place = parentOf(identity) ?? { ...identity, path: [] };
  const plan = slot.fanout.slice(slot.fanout.lastIndexOf('/') + 1);
  if (slot.fanout !== fanoutWorkflowId(place, plan) || spawn !== plannedSpawnId(plan, slot.index)) return false;
  const [, slug = ''] = /\/([^/]+)\/texts\/[^/]+$/.exec(ref) ?? [];
  const first = workflowIdOf({ ...place, path: [...place.path, slug] });
  if (slugProblem(slug) !== undefined || !ref.startsWith(textsPrefix(first))) return false;
  const name = ref.slice(textsPrefix(first).length);
  const start = textNameStart({ kind: 'system', id: plan });
  const isNamed = name.startsWith(start) && /^[0-9a-f]{64}\.txt$/.test(name.slice(start.length));
  // Fan-outs of earlier builds have a name without a digest.
  return isNamed || name === `${plan}-system.txt`;
}

/** The workflow id; `unknown` for an invalid spec. */
function agentOf(spec: AgentSpec): string {
  const { identity } = (spec as Partial<AgentSpec> | undefined) ?? {};
  return Array.isArray(identity?.path) ? workflowIdOf(identity) : 'unknown';
}
