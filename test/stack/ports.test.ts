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

it('refuses one port for two servers, with the port and both flags', async () => {
  const chosen = choosePorts({ temporal: 20_001, temporalUi: 0, api: 20_001 }, true);
  await expect(chosen).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: 'port 20001 is chosen for both Temporal and the API server',
    hint: 'choose another port with --temporal-port or --api-port (0 takes a free one)',
  });
  await expect(choosePorts({ temporal: 20_001, temporalUi: 20_001, api: 0 }, true)).rejects.toMatchObject({
    message: "port 20001 is chosen for both Temporal and Temporal's Web UI",
  });
});
