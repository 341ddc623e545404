// Lives of one agent id, one after the other (ADR 32): a finished agent's id may start again. Nothing of an earlier life reaches
// a later one: machine, token and secrets are named from the spawn, and record and log belong to the latest life alone.
import type { AgentRecord } from '../contract/wire/agent.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { pastRecordKey, recordKey } from '../contract/wire/object-keys.ts';
import { isTerminal } from '../contract/wire/phases.ts';
import type { ObjectStore } from '../drivers/objects/object-store.ts';
import type { Drivers } from '../drivers/platform.ts';
import { readRecord } from './record.ts';

/** Entries in which the end of an agent is looked for: a little more may follow it. */
const TAIL = 1_000;

/**
 * Puts the record of a life aside whose workflow has closed, so that another one may begin, and answers after which event that one begins
 * (`AgentSpec.events_after`). Without a record the agent counts as living. Doing it again answers the same. Throws
 * FAILED_PRECONDITION for a spawn that has left no record, UNAVAILABLE while its machine is still to be ended.
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
  // What still runs there has events and a snapshot to tell.
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

/** Takes the record back of a life after which none has begun. */
export async function reopenLife(objects: ObjectStore, agent: string, spawnId: string): Promise<void> {
  const content = await objects.get(pastRecordKey(agent, spawnId));
  if (content === undefined) return;
  await objects.create(recordKey(agent), content);
  await objects.delete(pastRecordKey(agent, spawnId));
}

/** Whether the life that this spawn began has been closed for a later one. */
export async function isPastLife(objects: ObjectStore, agent: string, spawnId: string): Promise<boolean> {
  return (await objects.get(pastRecordKey(agent, spawnId))) !== undefined;
}

async function readPastRecord(objects: ObjectStore, agent: string, spawnId: string): Promise<AgentRecord | undefined> {
  const content = await objects.get(pastRecordKey(agent, spawnId));
  return content === undefined ? undefined : (JSON.parse(content.toString('utf8')) as AgentRecord);
}

/** The number of the life's last event. An end that could not be written is: whoever reads the log waits for it. */
async function closeLog({ events }: Pick<Drivers, 'events'>, agent: string, { status }: AgentRecord): Promise<number> {
  const newest = (await events.tail(agent, TAIL)).findLast(({ event }) => event.type === 'phase');
  const last = await events.lastSeq(agent, 'workflow');
  if (newest?.event.type === 'phase' && isTerminal(newest.event.phase)) return last;
  const { phase, ended_at: at = new Date().toISOString() } = status;
  await events.append(agent, 'workflow', [{ seq: last + 1, at, event: { type: 'phase', phase } }]);
  return last + 1;
}
