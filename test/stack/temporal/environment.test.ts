import { expect, test } from '@jest/globals';
import { homePaths } from '../../../config/home.ts';
import { temporalStart } from '../../../stack/supervisor/temporal.ts';
import type { StackSettings } from '../../../stack/supervisor/settings.ts';
import { readDevServer } from '../../../stack/temporal/dev-server.ts';

const ROOT = new URL('../../../', import.meta.url).pathname;

async function environmentOfTemporal(env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const { spec } = await temporalStart({ home: homePaths('/nowhere') } as StackSettings, {
    binary: '/bin/true',
    network: { open: 'this is a test' },
    description: await readDevServer(ROOT),
    ports: { grpc: 1, ui: 2, http: 3, metrics: 4 },
    sockets: [],
    env,
  });
  return spec.env;
}

test('Temporal collects garbage more seldom than Go does by itself, unless the caller decides', async () => {
  expect(await environmentOfTemporal({})).toMatchObject({ GOGC: '300' });
  expect(await environmentOfTemporal({ GOGC: '50', GOMEMLIMIT: '1GiB' })).toMatchObject({
    GOGC: '50',
    GOMEMLIMIT: '1GiB',
  });
});

test('Temporal gets no other variables of the caller', async () => {
  expect(Object.keys(await environmentOfTemporal({ PATH: '/bin', ANTHROPIC_API_KEY: 'k' })).toSorted()).toEqual([
    'GOGC',
    'PATH',
  ]);
});
