// Successive lives of one agent id (ADR 32): the id of a finished agent may start again. An earlier life cannot affect
// a later one. Machine, token and secrets are named after the spawn; record and log belong to the latest life.
import type { AgentRecord } from '../contract/wire/agent.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { pastRecordKey, recordKey } from '../contract/wire/object-keys.ts';
import { isTerminal } from '../contract/wire/phases.ts';
import type { ObjectStore } from '../drivers/objects/object-store.ts';
import type { Drivers } from '../drivers/platform.ts';
import { readRecord } from './record.ts';

/** Newest log entries that are searched for the agent's end: some events may follow it. */
const TAIL = 1_000;

/**
 * Moves the record of a closed life aside, so that the next life may begin. Returns the number of the last event, from
 * which the next life counts on (`AgentSpec.events_after`). Idempotent. Throws FAILED_PRECONDITION for a spawn without
 * a record, because it counts as living, and UNAVAILABLE until its machine has ended.
 */
export async function closeLife(
  stores: Pick<Drivers, 'objects' | 'events'>,
  agent: string,
  spawnId: string,
): Promise<number> {
  const { objects } = stores;
  const record = (await readRecord(stores, agent)) ?? (await readPastRecord(objects, agent, spawnId));
  if (record?.spec.spawn_id !== spawnId) {
    throw new MurmurError('FAILED_PRECONDITION', `agent ${JSON.stringify(`/${agent}`)} has not ended`, {
      details: { path: `/${agent}` },
    });
  }
  const { vm } = record.status;
  // The runner there may still have events and a snapshot.
  if (vm !== undefined && vm.state !== 'gone') {
    throw new MurmurError('UNAVAILABLE', `machine ${vm.name} of the ended agent is still to be ended`, {
      hint: 'the worker ends it within some minutes: try again then',
      details: { path: `/${agent}`, machine: vm.name },
    });
  }
  const last = await closeLog(stores, agent, record);
  await objects.put(pastRecordKey(agent, spawnId), JSON.stringify(record));
  await objects.delete(recordKey(agent));
  return last;
}

/** Restores the record of a life after which no other has begun. */
export async function reopenLife(objects: ObjectStore, agent: string, spawnId: string): Promise<void> {
  const content = await objects.get(pastRecordKey(agent, spawnId));
  if (content === undefined) return;
  await objects.create(recordKey(agent), content);
  await objects.delete(pastRecordKey(agent, spawnId));
}

/** Whether the life of this spawn was closed so that a later one could begin. */
export async function isPastLife(objects: ObjectStore, agent: string, spawnId: string): Promise<boolean> {
  return (await objects.get(pastRecordKey(agent, spawnId))) !== undefined;
}

async function readPastRecord(objects: ObjectStore, agent: string, spawnId: string): Promise<AgentRecord | undefined> {
  const content = await objects.get(pastRecordKey(agent, spawnId));
  return content === undefined ? undefined : (JSON.parse(content.toString('utf8')) as AgentRecord);
}

/** The number of the life's last event. Writes a missing end, because readers of the log wait for it. */
async function closeLog({ events }: Pick<Drivers, 'events'>, agent: string, { status }: AgentRecord): Promise<number> {
  const newest = (await events.tail(agent, TAIL)).findLast(({ event }) => event.type === 'phase');
  const last = await events.lastSeq(agent, 'workflow');
  if (newest?.event.type === 'phase' && isTerminal(newest.event.phase)) return last;
  const { phase, ended_at: at = new Date().toISOString() } = status;
  await events.append(agent, 'workflow', [{ seq: last + 1, at, event: { type: 'phase', phase } }]);
  return last + 1;
}
