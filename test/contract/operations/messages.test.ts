// The payloads and answers of plain messages.
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { defineOperation } from '../../../contract/operation.ts';
import { operations } from '../../../contract/operations/index.ts';
import type { Operation } from '../../../contract/operation.ts';
import type { FollowUpMessage, UpdateMessage } from '../../../contract/message.ts';

const ORDER = { id: 'call-1', from: 'jane' };

/** Operation → message name, and payload for an input with all fields. */
const PAYLOADS: Readonly<Record<string, readonly [string, object, unknown]>> = {
  interrupt: ['signal interrupt', { slug: 'a' }, ORDER],
  session_stop: ['signal stop', { slug: 'a' }, ORDER],
  clear_queue: ['update clearQueue', { slug: 'a' }, ORDER],
  queue_strategy: ['update setStrategy', { slug: 'a', strategy: 'one' }, { ...ORDER, strategy: 'one' }],
  budget: ['update setBudget', { slug: 'a', max_cost_usd: 5 }, { ...ORDER, max_cost_usd: 5 }],
  flight_approve: ['flight approve', { slug: 'a', node: 'n' }, { ...ORDER, node: 'n' }],
  flight_rerun: ['flight rerun', { slug: 'a', node: 'n' }, { ...ORDER, node: 'n' }],
  flight_items: ['flight items', { slug: 'a', node: 'n', items: ['x'] }, { ...ORDER, node: 'n', items: ['x'] }],
  task_create: [
    'update taskCreate',
    { slug: 'a', workspace: 'w', subject: 's', description: undefined, activate_when: 'files_modified', pattern: '*' },
    { subject: 's', activate_when: 'files_modified', pattern: '*' },
  ],
  task_update: [
    'update taskUpdate',
    { slug: 'a', workspace: 'w', task_id: '1', status: 'done', subject: undefined, add_blocks: ['2'] },
    { task_id: '1', status: 'done', add_blocks: ['2'] },
  ],
  queue_add: ['followUp queue', { slug: 'a', description: 'go on', tasks: ['t'] }, ['go on', ['t']]],
  session_send: ['followUp send', { slug: 'a', message: 'go on' }, ['go on', undefined]],
  notify: ['followUp notify', { slug: 'a', message: 'go on' }, ['go on', undefined]],
};

type Payload = Pick<UpdateMessage<object, unknown>, 'payload'>;
type Text = Pick<FollowUpMessage<object, unknown>, 'tasks' | 'text'>;

test('the plain messages send these payloads', () => {
  const sent = Object.values<Operation>(operations).flatMap(({ name, to }) => {
    if (to === undefined) return [];
    const [, input] = PAYLOADS[name] ?? ['', {}];
    const kind = (['signal', 'update', 'flight', 'followUp'] as const).find((each) => to[each] !== undefined);
    const message = to as unknown as Payload & Text;
    const payload = kind === 'followUp' ? [message.text(input), message.tasks?.(input)] : message.payload(ORDER, input);
    return [[name, [`${kind ?? ''} ${to[kind ?? 'signal'] ?? ''}`, input, payload]]];
  });
  expect(Object.fromEntries(sent)).toEqual(PAYLOADS);
});

describe('a plain message does not compile', () => {
  const facts = {
    name: 'pause',
    summary: 'pause',
    description: 'Pauses.',
    input: z.strictObject({ slug: z.string() }),
    output: z.object({ slug: z.string() }),
    errors: [],
    hints: { readOnly: false, destructive: false, idempotent: true },
    cli: { command: 'pause', args: ['slug'], examples: [] },
  } as const;

  test('with an unknown signal', () => {
    // @ts-expect-error there is no such signal
    defineOperation({ ...facts, to: { signal: 'hibernate', payload: (order) => order, answer: () => ({ slug: '' }) } });
  });

  test('with a payload that the signal does not have', () => {
    // @ts-expect-error an order has a sender
    defineOperation({ ...facts, to: { signal: 'stop', payload: () => ({ id: '1' }), answer: () => ({ slug: '' }) } });
  });

  test('with an answer that is not its output', () => {
    // @ts-expect-error the output has a slug
    defineOperation({ ...facts, to: { signal: 'stop', payload: (order) => order, answer: () => ({ message: '' }) } });
  });

  test('with a text that bypasses the limit of queued bytes', () => {
    // @ts-expect-error follow-ups are no plain signals
    defineOperation({ ...facts, to: { signal: 'queueAdd', payload: (order) => order, answer: () => ({ slug: '' }) } });
  });
});
