// Implements `ensureRunner` for drivers: finds the runner of a machine, starts it, and replaces one of another build.
// Only this file decides which runner an agent has.
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { RunnerAddress, RunnerConfig } from '../../contract/wire/runner.ts';
import { runnerBuild } from '../../runner/identity/build.ts';
import { RUNNER_NODE_FLAGS } from '../../runner/identity/flags.ts';
import { lastTurnOf } from './last-turn.ts';
import type { EnsureRunnerOptions, Machine, RunnerAccess } from './provider.ts';
import { createRunnerClient, unreachable, type RunnerClient } from './runner-client.ts';
import { healthOf, readRunnerText } from './runner-process.ts';

/** The part of a machine that is needed to find and start its runner. */
export type RunnerSite = Pick<Machine, 'name' | 'paths' | 'get' | 'put' | 'dial'>;

export interface RunnerControlOptions {
  readonly site: RunnerSite;
  /** For the runner's configuration. */
  readonly isolation: RunnerConfig['isolation'];
  /**
   * Starts the runner after its config.json was written. Resolves with `serving` when a shared process serves it
   * already, and with `launched` when it is still starting. `launchRunner` implements it for runners with their own
   * process.
   */
  readonly start: (bundle: string) => Promise<'serving' | 'launched'>;
  /**
   * Whether the runner of build b35f5f2 that wrote this address still listens there: it cannot prove its identity.
   * Absent where no such runner can exist.
   */
  readonly isEarlyRunner?: (address: RunnerAddress) => Promise<boolean>;
  /** Shared by all connections of the provider: two runners of one machine would write to one journal. */
  readonly decisions: RunnerDecisions;
}

/** The decisions of one process about the runners of a provider, by machine. */
export class RunnerDecisions {
  /** Decisions in progress. */
  readonly open = new Map<string, Promise<Decision>>();
  /** Runners of this build that have answered, with their bundle. */
  readonly #checked = new Map<string, { readonly access: RunnerAccess; readonly bundle: string }>();

  /** The runner of the bundle's build, if it has answered over the current connection. */
  checked(machine: string, bundle: string): RunnerAccess | undefined {
    const known = this.#checked.get(machine);
    return known?.bundle === bundle ? known.access : undefined;
  }

  remember(machine: string, bundle: string, access: RunnerAccess): void {
    this.#checked.set(machine, { access, bundle });
  }

  /** Must be called when the connection to the machine is lost, or when the machine is recreated. */
  forget(machine: string): void {
    this.#checked.delete(machine);
  }
}

/** The outcome of a decision. */
interface Decision {
  readonly access: RunnerAccess;
  /** Whether the runner is of the requested build. */
  readonly isCurrent: boolean;
}

/** A runner that answers, and its build. Early builds do not report theirs. */
interface FoundRunner {
  readonly access: RunnerAccess;
  readonly client: RunnerClient;
  readonly build: string | undefined;
}

/** A runner answers within 0.2 s of its start; a loaded host may need many times that. */
const START_LIMIT_MS = 20_000;
/**
 * Over a machine's connection, address files can only be polled. A runner writes its file after some 60 ms. When many
 * start at once it takes seconds, and polling all of them as often would delay them further.
 */
const LOOK_AGAIN = { firstMs: 5, whileMs: 200, laterMs: 50 } as const;

/** A stopped runner releases its port at once; a busy host may need seconds. */
const GONE_LIMIT_MS = 10_000;

/** The calls of `Machine` about its runner. */
export function createRunnerControl(options: RunnerControlOptions): Pick<Machine, 'ensureRunner' | 'recordedRunner'> {
  const { decisions, site } = options;
  return {
    recordedRunner: () => recordedRunner(options),
    ensureRunner: async (bundle, wanted) => {
      const { open } = decisions;
      for (let other = open.get(site.name); other !== undefined; other = open.get(site.name)) {
        if (wanted.use === 'reach') return (await other).access;
        // That decision may have been for another use.
        await other.catch(() => undefined);
      }
      const checked = wanted.askOnce === true ? decisions.checked(site.name, bundle) : undefined;
      if (checked !== undefined) return checked;
      const decision = decide(options, bundle, wanted);
      open.set(site.name, decision);
      try {
        const { access, isCurrent } = await decision;
        if (isCurrent) decisions.remember(site.name, bundle, access);
        return access;
      } finally {
        open.delete(site.name);
      }
    },
  };
}

/** Copies the bundle to the machine and launches a runner with its own process there. */
export async function launchRunner(
  machine: RunnerSite & Pick<Machine, 'facts' | 'launch'>,
  bundle: string,
): Promise<'launched'> {
  const file = (name: string): string => posix.join(machine.paths.runner, name);
  const { node } = await machine.facts();
  await machine.put(file('runner.cjs'), await readFile(bundle), 0o600);
  const args = [...RUNNER_NODE_FLAGS, file('runner.cjs'), machine.paths.runner];
  await machine.launch(node, args, { log: file('runner.log') });
  return 'launched';
}

async function decide(
  options: RunnerControlOptions,
  bundle: string,
  { use, startLimitMs }: EnsureRunnerOptions,
): Promise<Decision> {
  const decided = ({ access, build }: FoundRunner): Decision => ({ access, isCurrent: build === runnerBuild(bundle) });
  const found = await look(options);
  if (found === undefined) return decided(await startRunner(options, bundle, startLimitMs));
  if (use === 'reach' || decided(found).isCurrent) return decided(found);
  const turn = await lastTurnOf(options.site);
  if (turn?.isOpen === true || (turn !== undefined && use !== 'begin' && turn.id === use.turn)) return decided(found);
  await stopInGoodOrder(options, found.client);
  return decided(await startRunner(options, bundle, startLimitMs));
}

async function recordedRunner({ site, isEarlyRunner }: RunnerControlOptions): Promise<RunnerAccess | undefined> {
  const address = await readJson<RunnerAddress>(site, 'address.json');
  if (address === undefined) return undefined;
  const { port, token } = address;
  if (token !== undefined) return { port, token };
  const early = (await readJson<RunnerConfig>(site, 'config.json'))?.token;
  if (early === undefined) return undefined;
  return { port, token: early, isUnchanged: async () => (await isEarlyRunner?.(address)) ?? false };
}

/** The runner that answers on the machine; undefined when none does. */
async function look(options: RunnerControlOptions): Promise<FoundRunner | undefined> {
  const access = await recordedRunner(options);
  if (access === undefined) return undefined;
  const client = createRunnerClient(options.site, access);
  const health = await healthOf(options.site, client);
  return health === undefined ? undefined : { access, client, build: health.build };
}

/** Resolves once the runner no longer answers. */
async function stopInGoodOrder(options: RunnerControlOptions, runner: RunnerClient): Promise<void> {
  await runner.stop({ status: 'cut_off' }).catch((error: unknown) => {
    // The connection may break when the runner exits.
    if (!(error instanceof MurmurError) || error.code !== 'UNAVAILABLE') throw error;
  });
  for (const end = Date.now() + GONE_LIMIT_MS; (await look(options)) !== undefined; await delay(LOOK_AGAIN.firstMs)) {
    if (Date.now() > end) throw unreachable(options.site, 'it is of another build and did not stop');
  }
}

async function startRunner(
  options: RunnerControlOptions,
  bundle: string,
  startLimitMs = START_LIMIT_MS,
): Promise<FoundRunner> {
  const { site, isolation } = options;
  const known = await readJson<RunnerConfig>(site, 'config.json');
  const config: RunnerConfig = {
    machine: site.name,
    // Keeps the token: a runner of build b35f5f2 that does not answer yet may still be starting.
    ...(known?.token === undefined ? {} : { token: known.token }),
    isolation,
  };
  await site.put(posix.join(site.paths.runner, 'config.json'), JSON.stringify(config), 0o600);
  if ((await options.start(bundle)) === 'serving') {
    // The runner serves already, unless another process has the machine.
    const found = await look(options);
    if (found !== undefined) return found;
  }
  const began = Date.now();
  const end = began + startLimitMs;
  while (Date.now() < end) {
    await delay(Date.now() - began < LOOK_AGAIN.whileMs ? LOOK_AGAIN.firstMs : LOOK_AGAIN.laterMs);
    const found = await look(options);
    if (found !== undefined) return found;
  }
  const log = await readRunnerText(site, 'runner.log');
  throw unreachable(site, `it did not start: ${log.slice(-1_000).trim()}`);
}

/** Undefined when the file is missing or incomplete. The next runner writes it again. */
async function readJson<Value>(site: RunnerSite, name: string): Promise<Value | undefined> {
  const text = await readRunnerText(site, name);
  try {
    return JSON.parse(text) as Value;
  } catch {
    return undefined;
  }
}
