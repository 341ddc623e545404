// The sweep: ends machines that no agent owns (ADR 30).
import pLimit from 'p-limit';
import type { MachineInfo, MachineProvider } from '../../drivers/machines/provider.ts';
import type { MachineOwner } from '../machine.ts';
import { claimMachine } from '../machine-claim.ts';
import type { MachineClaim } from '../machine-claim.ts';
import { findOwner } from './facts.ts';
import type { ClosedAgent, FactSources } from './facts.ts';

/** Machines that are looked up concurrently: each takes a call to Temporal of a few milliseconds. */
const LOOKS_AT_ONCE = 16;
/** Machines that are ended concurrently. An end keeps a connection and some files open for up to a minute. */
const ENDS_AT_ONCE = 4;
/**
 * How long an owned machine is not looked up again, in milliseconds: four rounds. Agents normally end their own
 * machines, so nearly all lookups find a living agent. A longer time only delays an end.
 */
const OWNED_FOR_MS = 120_000;
/** Holder of a sweep's claims, for people. */
const SWEEP = 'the sweep of a worker';

export interface SweepOptions extends FactSources {
  readonly providers: readonly MachineProvider[];
  /** Id of the Temporal namespace. Throws UNAVAILABLE when Temporal cannot be asked. */
  readonly namespaceId: () => Promise<string>;
  /** Ends an agent that has closed, last snapshot included. Idempotent. */
  readonly end: (agent: ClosedAgent, claim: MachineClaim) => Promise<void>;
  /** Facts for the operator: `problem` once as long as it lasts, `ended` for each machine. */
  readonly report: {
    ended(details: Readonly<Record<string, unknown>>): void;
    problem(details: Readonly<Record<string, unknown>>): void;
  };
}

export interface Sweep {
  /**
   * Looks at all machines of this installation and namespace once, and ends those that no agent owns. Never rejects:
   * the failure of one provider, host or machine is reported and stops no other. No new end begins after the signal
   * aborts.
   */
  round(signal: AbortSignal): Promise<void>;
}

/** One per worker: it remembers which machines were owned a moment ago, and which problems it has reported. */
export function createSweep(options: SweepOptions): Sweep {
  const { providers, report } = options;
  /** Name of the machine → until when it is skipped. */
  const owned = new Map<string, number>();
  let reported = new Set<string>();

  return {
    async round(signal) {
      const causes = new Set<string>();
      const attempt = async (where: Readonly<Record<string, string>>, work: () => Promise<void>): Promise<void> => {
        try {
          await work();
        } catch (error) {
          const problem = error instanceof Error ? error.message : String(error);
          const cause = JSON.stringify([where, problem]);
          if (!reported.has(cause) && !causes.has(cause)) report.problem({ ...where, error: problem });
          causes.add(cause);
        }
      };
      const limits = { look: pLimit(LOOKS_AT_ONCE), end: pLimit(ENDS_AT_ONCE) };
      await attempt({}, async () => {
        const home: MachineOwner = { stack: options.key.id, namespace: await options.namespaceId() };
        await Promise.all(
          providers.map((provider) =>
            attempt({ provider: provider.name }, async () => {
              const { machines, unreachable } = await provider.list({ ...home }, signal);
              await Promise.all([
                ...unreachable.map(({ host, reason }) =>
                  attempt({ provider: provider.name, host }, () => Promise.reject(reason)),
                ),
                ...machines.map((machine) =>
                  attempt({ provider: provider.name, machine: machine.name }, () =>
                    sweepOne({ provider, machine }, home, limits, signal),
                  ),
                ),
              ]);
            }),
          ),
        );
      });
      forget(owned, options.now().getTime());
      reported = causes;
    },
  };

  async function sweepOne(
    { provider, machine }: { readonly provider: MachineProvider; readonly machine: MachineInfo },
    home: MachineOwner,
    limits: Readonly<Record<'look' | 'end', ReturnType<typeof pLimit>>>,
    signal: AbortSignal,
  ): Promise<void> {
    if ((owned.get(machine.name) ?? 0) > options.now().getTime()) return;
    const first = await limits.look(() => (signal.aborted ? undefined : findOwner(options, machine, home)));
    if (first?.ownership.state === 'owned') owned.set(machine.name, options.now().getTime() + OWNED_FOR_MS);
    if (first?.ownership.state !== 'unowned') return;
    await limits.end(async () => {
      if (signal.aborted) return;
      // Earlier ends may have taken minutes, so the facts are read again.
      const { ownership, agent } = await findOwner(options, machine, home);
      if (ownership.state !== 'unowned' || agent === undefined) return;
      const attempt = await claimMachine(provider, machine, SWEEP);
      // Another worker or a person ends it, or has ended it.
      if (attempt.claim === undefined) return;
      await using claim = attempt.claim;
      await options.end(agent, claim);
      report.ended({ machine: machine.name, agent: agent.id });
    });
  }
}

function forget(owned: Map<string, number>, now: number): void {
  for (const [name, until] of owned) if (until <= now) owned.delete(name);
}
