// The provider `ssh` on a host for tests. Disposing destroys every machine and closes the connection.
import { userCacheFolder } from '../../../../config/home.ts';
import { DEFAULT_MACHINE_LIMITS } from '../../../../contract/wire/machine-limits.ts';
import { GitBrokers } from '../../../../drivers/machines/git-brokers.ts';
import type { GitBrokersOptions } from '../../../../drivers/machines/git-brokers.ts';
import type { MachineProvider } from '../../../../drivers/machines/provider.ts';
import { shipmentFrom } from '../../../../drivers/machines/ssh/host-shipment.ts';
import { createSshProvider } from '../../../../drivers/machines/ssh/provider.ts';
import type { SshHost } from '../../../fixtures/ssh-machines/ssh-host.ts';

/** Created once for all tests of a file. */
const shipment = shipmentFrom(userCacheFolder(process.env));

export interface SshMachines extends AsyncDisposable {
  readonly provider: MachineProvider;
}

/** A host for tests, as the provider needs it. */
export type TestHost = Pick<SshHost, 'target'> & { readonly node?: string };

/** @param git whose git serves the machines; nobody's unless given */
export function sshMachines(
  hosts: readonly TestHost[],
  user: 'root' | 'builder' = 'root',
  git: GitBrokersOptions = { machines: '/nowhere', env: {} },
): SshMachines {
  const provider = createSshProvider(
    hosts.map((host) => {
      const target = host.target(user);
      return {
        settings: { host: target.host, ...(host.node === undefined ? {} : { node: host.node }) },
        target: () => Promise.resolve(target),
        shipment,
        owner: 'tests',
        start: { limits: DEFAULT_MACHINE_LIMITS, show: [] },
      };
    }),
    { git: new GitBrokers(git) },
  );
  return {
    provider,
    [Symbol.asyncDispose]: async () => {
      for (const { name } of (await provider.list()).machines) await provider.destroy(name);
      await provider[Symbol.asyncDispose]();
    },
  };
}
