// Free ports that the system does not assign to other programs before the stack listens on them.
import { expect, it } from '@jest/globals';
import { choosePorts } from '../../stack/ports.ts';

it('chooses different free ports below the ephemeral range', async () => {
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
