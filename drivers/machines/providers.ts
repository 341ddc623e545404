// Opens the machine providers of this host, as configured.
import type { Config } from '../../config/config.ts';
import { userCacheFolder } from '../../config/home.ts';
import { createMachines } from './configured.ts';
import type { Machines } from './configured.ts';
import type { MachineProvider } from './provider.ts';
import { hostStartOf } from './ssh/host-start.ts';

/**
 * Always `local`, as machines may exist from before; `ssh` where hosts are configured. Opens no connection yet.
 * @param env environment of runners: the caller's, without credentials of models
 * @param murmur see `createMachines`
 */
export async function openMachines(
  config: Pick<Config, 'home' | 'host' | 'hostId' | 'isolation' | 'claude'>,
  env: Readonly<Record<string, string | undefined>>,
  murmur?: Promise<string>,
): Promise<Machines & { readonly local: MachineProvider }> {
  const { environment } = config.host;
  const local = await createMachines(config, env, murmur);
  if (environment.provider === 'local') return local;
  // The client of ssh takes 60 ms to load.
  const { GitBrokers } = await import('./git-brokers.ts');
  const { createSshProvider } = await import('./ssh/provider.ts');
  const { resolveHost } = await import('./ssh/resolve.ts');
  const { shipmentFrom } = await import('./ssh/host-shipment.ts');
  const shipment = shipmentFrom(userCacheFolder(env));
  const start = hostStartOf(config.host);
  const ssh = createSshProvider(
    environment.hosts.map((settings) => ({
      settings,
      target: () => resolveHost(settings, env),
      shipment,
      owner: config.hostId,
      start,
    })),
    { git: new GitBrokers({ machines: config.home.machines, env }) },
  );
  return { ...local, ssh };
}
