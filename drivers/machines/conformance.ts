// What every machine provider must do. test/drivers/machines runs it against each driver. It works on the machine
// itself and uses names and labels of the run. So it also tests providers on other hosts and providers that are in use.
import { afterEach, beforeEach, describe } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { commandConformance } from './conformance/commands.ts';
import { connectionConformance } from './conformance/connections.ts';
import { fileConformance } from './conformance/files.ts';
import { lifecycleConformance } from './conformance/lifecycle.ts';
import { createBench, type Bench, type ProviderUnderTest, type SuiteOptions } from './conformance/suite.ts';

/** Registers the suite for a driver. `make` returns a new provider for each test, without machines of earlier tests. */
export function machineProviderConformance(
  label: string,
  make: () => Promise<ProviderUnderTest>,
  options: SuiteOptions = {},
): void {
  describe(`${label} machines`, () => {
    let bench: Bench;
    const current = (): Bench => bench;
    beforeEach(async () => {
      bench = createBench(await make(), randomBytes(4).toString('hex'));
    });
    afterEach(async () => {
      await bench.under[Symbol.asyncDispose]();
    });
    lifecycleConformance(current);
    commandConformance(current);
    fileConformance(current, options);
    connectionConformance(current, options);
  });
}
