// Free ports: none that the system could give to somebody else before the stack listens on it.
import { expect, it } from '@jest/globals';
import { choosePorts } from '../../stack/ports.ts';

it('takes free ports below those that systems give to connections, each another one', async () => {
  const stacks = await Promise.all(
    Array.from({ length: 10 }, () => choosePorts({ temporal: 0, temporalUi: 0, api: 0 }, true)),
  );
  const ports = stacks.flatMap(({ api, temporal }) => [api, ...Object.values(temporal)]);
  expect(new Set(ports).size).toBe(50);
  for (const port of ports) {
    expect(port).toBeGreaterThanOrEqual(10_000);
    expect(port).toBeLessThan(32_768);
  }
});
