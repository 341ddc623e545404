// Opens the machines of this host as configured: for the worker, and for the API server when no worker answers.
import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { MachineLimits } from '../../contract/wire/machine-limits.ts';
import type { Config } from '../../config/config.ts';
import type { HostSettings } from '../../config/host-settings.ts';
import { PACKAGE_ROOT } from '../../config/package.ts';
import { detectIsolation } from '../../runner/isolation/detect.ts';
import { createIsolation } from '../../runner/isolation/isolation.ts';
import type { IsolationSpec } from '../../contract/wire/isolation.ts';
import { ownerHome } from '../../runner/isolation/owner-home.ts';
import { isBelow } from '../../runner/isolation/mount-plan.ts';
import type { MachineProvider } from './provider.ts';
import type { LocalIsolation } from './local/isolation.ts';
import { createLocalProvider } from './local/provider.ts';
import type { LocalProvider } from './local/provider.ts';

/** `murmur` of this package: bundles of a published one, the sources of a checkout. */
export const OWN_MURMUR = join(PACKAGE_ROOT, 'bin', 'murmur.js');

/** The machine providers of this host, by name. Spec, memo and record of an agent name its provider. */
export type Machines = Readonly<Record<string, MachineProvider>>;

/** The provider of new machines if no other is chosen. Also that of agents of earlier builds, whose specs name none. */
export const DEFAULT_PROVIDER = 'local';

/** Throws FAILED_PRECONDITION for a provider that this host does not have. The error says what to do. */
export function providerNamed(machines: Machines, name = DEFAULT_PROVIDER): MachineProvider {
  const found = Object.hasOwn(machines, name) ? machines[name] : undefined;
  if (found !== undefined) return found;
  const configured = Object.keys(machines);
  throw new MurmurError('FAILED_PRECONDITION', `machine provider ${JSON.stringify(name)} is not configured here`, {
    hint: `configure it again as long as it has machines; configured: ${configured.join(', ')}`,
    details: { provider: name, configured },
  });
}

/** The settings that local machines depend on. */
export interface LocalSettings extends Pick<Config, 'home' | 'isolation' | 'claude'> {
  readonly host: Pick<HostSettings, 'limits' | 'show'>;
}

/**
 * Opens the configured providers.
 * @param env environment of runners: the caller's, without credentials of models
 * @param murmur file that machines run as `murmur`; it may still be built, but never rejects. Absent: this package's own
 */
export async function createMachines(
  config: LocalSettings,
  env: Readonly<Record<string, string | undefined>>,
  murmur: Promise<string> = Promise.resolve(OWN_MURMUR),
): Promise<Machines & { readonly local: LocalProvider }> {
  const { home, claude } = config;
  // Runners do not inherit the compile cache of the stack's programs, because their children do not use it.
  const { NODE_COMPILE_CACHE: compileCache, ...callers } = env;
  const local = createLocalProvider({
    machines: home.machines,
    isolation: await localIsolation(config, env),
    programs: murmur.then((file) => ({
      ...(claude === undefined ? {} : { claude }),
      // With this process's Node: an agent may change its PATH, and the system's Node may be too old.
      murmur: [process.execPath, file],
    })),
    env: callers,
    compileCache,
  });
  return { local };
}

async function localIsolation(
  { home, host, isolation, claude }: LocalSettings,
  env: Readonly<Record<string, string | undefined>>,
): Promise<LocalIsolation> {
  const { kind, ownUser, limitsInForce } = await detectIsolation(isolation);
  // Programs that the agent needs. They may be installed in a home folder that the agent cannot read.
  const programs = [process.execPath, ...(claude === undefined ? [] : [claude])].map((path) => realpathSync(path));
  const hidden = realpathSync(home.root);
  // `murmur` runs on the machine too.
  const own = realpathSync(PACKAGE_ROOT);
  // An agent with the owner's user id could change every file of the owner, so it sees only programs.
  const covered =
    kind === 'namespace' && !ownUser ? ownerHome(env, [...programs, join(own, 'bin', 'murmur.js')]) : undefined;
  const { processes, memory_mb, shm_mb, disk_mb } = host.limits;
  const limits: MachineLimits = { processes, memory_mb, shm_mb, disk_mb };
  const show = host.show.flatMap((path) => shownPath(path, hidden));
  return {
    ownUser,
    isWhole: kind === 'namespace',
    settings: ({ name, layout, uid }) => {
      const spec: IsolationSpec = {
        kind,
        machine: name,
        paths: {
          home: layout.home,
          work: layout.work,
          run: layout.run,
          isolation: join(layout.directory, 'isolation'),
        },
        ...(uid === undefined ? {} : { uid }),
        hide: [hidden, ...(covered === undefined ? [] : [covered.home])],
        keep: [layout.bin, home.programs, own, ...programs.map((path) => dirname(path)), ...(covered?.shown ?? [])],
        limits,
        ...(limitsInForce === undefined ? {} : { limitsInForce }),
        show,
      };
      return spec;
    },
    endAll: (settings) => createIsolation(settings).endAll(),
  };
}

/** The real path; empty when it does not exist, or when a link leads into the hidden folder. */
function shownPath(path: string, hidden: string): readonly string[] {
  try {
    const real = realpathSync(path);
    return real === hidden || isBelow(real, hidden) ? [] : [real];
  } catch {
    return [];
  }
}
