import { expect, test } from '@jest/globals';
import { startApi } from './fixtures/api.ts';
import { knownAgents } from './fixtures/known-agents.ts';

test('status says why Temporal is open, and nothing if it is not', async () => {
  const known = knownAgents();
  known.agents.set('w/default/u/alice/lead', {});
  await using closed = await startApi({ parts: { temporal: known.client } });
  expect(await closed.client.call('status', { slug: 'lead' })).not.toHaveProperty('temporal_open');
  const temporal = { address: '127.0.0.1:7471', namespace: 'default', open: 'no namespaces here' };
  const settings = { ...closed.parts.settings, temporal };
  await using open = await startApi({ parts: { temporal: known.client, settings } });
  expect(await open.client.call('status', { slug: 'lead' })).toMatchObject({ temporal_open: 'no namespaces here' });
});
