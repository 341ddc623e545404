// OpenTelemetry is loaded only if it is configured: one lazy import leads to it.
import { expect, it } from '@jest/globals';
import { LAYERS } from '../../layers.ts';
import { importsBelow } from './imports.ts';

const LOADS_OPENTELEMETRY = ['drivers/telemetry/otlp.ts', 'drivers/telemetry/http-client.ts'];

it('OpenTelemetry is imported by two modules, which only a lazy import loads', async () => {
  const all = (await Promise.all(Object.keys(LAYERS).map(importsBelow))).flat().filter(({ isType }) => !isType);
  const loading = all.filter(({ specifier }) => /opentelemetry/.test(specifier));
  expect(loading.length).toBeGreaterThan(0);
  const eager = all.filter(({ isLazy, target = '' }) => !isLazy && LOADS_OPENTELEMETRY.includes(target));
  expect([...new Set(loading.map(({ file }) => file))].toSorted()).toEqual(LOADS_OPENTELEMETRY.toSorted());
  expect([...new Set(eager.map(({ file }) => file))]).toEqual(['drivers/telemetry/otlp.ts']);
});
