// Checks the hosts of `environment`, each with the steps that an agent's machine needs.
import type { Config } from '../../config/config.ts';
import type { SshHostSettings } from '../../config/environment-settings.ts';
import { userCacheFolder } from '../../config/home.ts';
import { compareVersions } from '../../config/programs.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { HostInspection } from '../../drivers/machines/ssh/inspect.ts';
import type { Check } from './check.ts';

/**
 * Time limit per host. Connecting takes a second, or several if our files must be copied; a person waits for the whole
 * report.
 */
const HOST_LIMIT_MS = 20_000;

/** The checks of all hosts, concurrently, each host with its own time limit. None if no hosts are configured. */
export async function hostChecks(
  { host }: Pick<Config, 'host'>,
  { env, oldestGit, limitMs = HOST_LIMIT_MS }: HostCheckOptions,
): Promise<readonly Check[]> {
  const { environment } = host;
  if (environment.provider !== 'ssh') return [];
  // The client of ssh takes 60 ms to load.
  const [{ inspectHost }, { shipmentFrom }, { hostStartOf }] = await Promise.all([
    import('../../drivers/machines/ssh/inspect.ts'),
    import('../../drivers/machines/ssh/host-shipment.ts'),
    import('../../drivers/machines/ssh/host-start.ts'),
  ]);
  const options = { env, shipment: shipmentFrom(userCacheFolder(env)), start: hostStartOf(host) };
  const found = await Promise.all(
    environment.hosts.map(async (settings) => {
      const late = AbortSignal.timeout(limitMs);
      try {
        return checksOf(settings, await inspectHost(settings, options, late), oldestGit);
      } catch (error) {
        return [problemOf(settings, late.aborted ? tooLate(settings, limitMs) : error)];
      }
    }),
  );
  return found.flat();
}

export interface HostCheckOptions {
  readonly env: NodeJS.ProcessEnv;
  /** The oldest git that agents can use. */
  readonly oldestGit: string;
  /** Time limit per host, in milliseconds. */
  readonly limitMs?: number;
}

function checksOf(settings: SshHostSettings, inspection: HostInspection, oldestGit: string): readonly Check[] {
  const { facts, isolation, route } = inspection;
  const name = nameOf(settings);
  const { node, git, programs, user } = facts;
  const problems: Check[] = [];
  const problem = (message: string, fix: string): void => void problems.push({ name, state: 'problem', message, fix });
  if (git === undefined) problem('git is not on the PATH of the login', 'install git there');
  else if (compareVersions(git, oldestGit) < 0) {
    problem(`git ${git} is too old: agents need ${oldestGit} or newer`, 'install a newer git there');
  }
  if (programs['claude'] === undefined) {
    const fix = 'install it there with `npm install -g @anthropic-ai/claude-code`, so that a login finds it';
    problem('claude is not on the PATH of the login', fix);
  }
  const has = [`Node at ${node}`, git && `git ${git}`, programs['claude'] && `claude at ${programs['claude']}`];
  const message = `${user.name} logs in at ${route}; ${has.filter(Boolean).join(', ')}; ${isolation}`;
  return [{ name, state: 'ok', message }, ...problems];
}

function problemOf(settings: SshHostSettings, error: unknown): Check {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof MurmurError ? error.hint : undefined;
  const fix = hint ?? `make \`ssh ${settings.host} true\` work without a question, or correct the host in murmur.yaml`;
  return { name: nameOf(settings), state: 'problem', message, fix };
}

function tooLate({ host }: SshHostSettings, limitMs: number): Error {
  return new Error(`host ${host} has not answered within ${String(limitMs / 1_000)} s`);
}

function nameOf({ host }: SshHostSettings): string {
  return `host ${host}`;
}
