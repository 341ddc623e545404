// The local provider on a temporary home. Disposing destroys every machine and ends all runners.
import type { Config } from '../../../config/config.ts';
import { homePaths } from '../../../config/home.ts';
import type { HomePaths } from '../../../config/home.ts';
import { loadHostSettings } from '../../../config/host-settings.ts';
import type { HostSettings } from '../../../config/host-settings.ts';
import { createMachines } from '../../../drivers/machines/configured.ts';
import type { LocalProvider } from '../../../drivers/machines/local/provider.ts';
import { stopRunners } from '../../../stack/runners.ts';
import { temporaryFolder } from '../temporary-folder.ts';

export interface LocalMachines extends AsyncDisposable {
  readonly home: HomePaths;
  readonly provider: LocalProvider;
}

interface LocalMachinesOptions extends Partial<Pick<Config, 'isolation' | 'claude'>> {
  readonly host?: Partial<HostSettings>;
  /** Makes what machines run as `murmur`; the checkout's sources unless given. */
  readonly murmur?: (home: HomePaths) => Promise<string>;
}

export async function localMachines({
  isolation = 'auto',
  claude,
  host,
  murmur,
}: LocalMachinesOptions = {}): Promise<LocalMachines> {
  const folder = await temporaryFolder();
  const home = homePaths(folder.path);
  const settings = { ...(await loadHostSettings(home, folder.path)), ...host };
  const { local: provider } = await createMachines(
    { home, isolation, claude, host: settings },
    process.env,
    murmur?.(home),
  );
  return {
    home,
    provider,
    [Symbol.asyncDispose]: async () => {
      for (const { name } of (await provider.list()).machines) await provider.destroy(name);
      await stopRunners(home);
      await folder[Symbol.asyncDispose]();
    },
  };
}
