// As many agents at once as a host has to bear: control never queues behind turns. The runners are real; the model is
// the fake backend's, in the runner itself, so that what is loaded is Murmur.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { MurmurClient } from '../../client/index.ts';
import { scripted } from './fixtures/agent.ts';
import { clientOf } from './fixtures/client.ts';
import { journal, ofType } from './fixtures/log.ts';
import { nothingLeft, processesWith } from './fixtures/processes.ts';
import { eventually, startStack, type TestStack } from './fixtures/stack.ts';

/** More than the SDK's 100 slots for activities, which turns would otherwise fill. */
const AGENTS = 150;
/** One is noise, and each costs a turn. */
const INTERRUPTS = 5;
/** At once, beside all the turns. The others end with the stack, which takes a tenth of the time. */
const KILLS = 10;
/** From sending an interrupt to the end of its turn. */
const INTERRUPT_LIMIT_MS = 1_000;

let stack: TestStack;
let client: MurmurClient;
beforeAll(async () => {
  stack = await startStack();
  client = await clientOf(stack);
}, 180_000);
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await nothingLeft(stack);
}, 180_000);

/** Milliseconds from sending the interrupt to the end of the turn, by the event's own time. */
async function interrupt(slug: string): Promise<number> {
  const sent = Date.now();
  await client.call('interrupt', { slug });
  for await (const { at, event } of client.stream('session_watch', { slug }, { signal: AbortSignal.timeout(60_000) })) {
    if (event.type !== 'turn_complete') continue;
    expect(event.status).toBe('interrupted');
    return Date.parse(at) - sent;
  }
  throw new Error(`the session of ${slug} ended without the end of its turn`);
}

it('with 150 turns at once an interrupt ends its turn within a second, a kill leaves nothing, nor does down', async () => {
  const slugs = Array.from({ length: AGENTS }, (_, index) => `agent-${String(index)}`);
  const description = scripted('Work for ever.', { hang: true });
  const machines = await Promise.all(
    slugs.map(async (slug) => (await client.call('spawn', { slug, description, model: 'fake' })).vm),
  );
  // One after the other: none ends, and looking at all of them at once would take the time that they need.
  for (const [index, machine] of machines.entries()) {
    const began = async () => ofType(await journal(stack, machine).catch(() => []), 'user_text').length === 1;
    await eventually(`turn ${String(index + 1)} of ${String(AGENTS)} runs`, began, 240_000);
  }
  const running = (await client.call('ls', {})).filter(({ phase }) => phase === 'running');
  expect(running).toHaveLength(AGENTS);

  const taken: number[] = [];
  for (const slug of slugs.slice(-INTERRUPTS)) taken.push(await interrupt(slug));
  taken.sort((one, other) => one - other);
  console.log(`interrupts with ${String(AGENTS)} turns at once took ${taken.join(', ')} ms`);
  expect(taken[Math.floor(INTERRUPTS / 2)]).toBeLessThanOrEqual(INTERRUPT_LIMIT_MS);

  const killed = await Promise.all(slugs.slice(0, KILLS).map((slug) => client.call('kill', { slug })));
  expect(killed.flatMap(({ receipt }) => receipt.map((line) => line.machine_state))).toEqual(
    killed.map(() => 'destroyed'),
  );
  for (const machine of machines.slice(0, KILLS)) expect(await processesWith(machine)).toEqual([]);
  expect(await client.call('ls', {})).toHaveLength(AGENTS - KILLS);

  await stack.murmur(['down']);
  expect(await processesWith(stack.home)).toEqual([]);
}, 420_000);
