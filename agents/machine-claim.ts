// The claim of a process that ends a machine without a living agent: labels that it adds by compare-and-set. Two ends
// at once could lose the last snapshot: one destroys the machine while the other still captures it.
import { randomUUID } from 'node:crypto';
import { setInterval } from 'node:timers/promises';
import { MurmurError } from '../contract/wire/errors.ts';
import type { ErrorCode } from '../contract/wire/errors.ts';
import { labelsVersion } from '../drivers/machines/labels.ts';
import type { MachineInfo, MachineLabels, MachineProvider } from '../drivers/machines/provider.ts';

/**
 * How long a claim lasts after it was made or renewed, in milliseconds. Its holder renews it while it lives. A process
 * that has died does not, and the next ender takes over. The time covers a stalled holder and clocks of hosts that
 * differ by seconds. A longer time delays the end after a death, and a shorter one could interrupt a capture. A claim
 * may lapse while the machine is being destroyed: the last snapshot is stored by then.
 */
const CLAIM_MS = 60_000;
/** Pause between renewals. Three may fail before the claim ends. */
const RENEW_MS = 15_000;

/** Who holds a claim, and since when. Any change of their names would free the machines that earlier builds claimed. */
const LABELS = { id: 'claim', at: 'claimed_at', by: 'claimed_by' } as const;

/** A claim on a machine. Disposing it ends the renewals, and frees the machine if it still exists. */
export interface MachineClaim extends AsyncDisposable {
  /**
   * Renews the claim, right before the machine is destroyed. Throws FAILED_PRECONDITION when another process has taken
   * over, as from one that was frozen. An absent machine needs no claim.
   */
  confirm(): Promise<void>;
}

export type ClaimAttempt =
  | { readonly claim: MachineClaim }
  /** Without a holder, the machine is gone. */
  | { readonly claim?: undefined; readonly holder: ClaimHolder | undefined };

/** Who ends the machine at the moment. */
export interface ClaimHolder {
  /** As it named itself, for people. */
  readonly by: string;
}

/**
 * Claims the machine for its end. Of several callers, one gets the claim and the others its holder. Throws
 * FAILED_PRECONDITION when its other labels are not those of `machine` any more, and UNAVAILABLE when the provider
 * cannot be reached.
 * @param machine as the caller decided about it
 * @param by who ends it, for people: `alice`
 * @param renewMs pause between renewals
 */
export async function claimMachine(
  provider: Pick<MachineProvider, 'describe' | 'label'>,
  machine: MachineInfo,
  by: string,
  renewMs = RENEW_MS,
): Promise<ClaimAttempt> {
  const own = withoutClaim(machine.labels);
  const id = randomUUID();
  for (let seen = machine; ;) {
    const holder = holderOf(seen.labels);
    if (holder !== undefined) return { holder };
    try {
      const { version } = await provider.label(machine.name, claimed(own, id, by), { if: seen.version });
      return { claim: heldClaim(provider, { name: machine.name, own, id, by, version, renewMs }) };
    } catch (error) {
      if (isCode(error, 'NOT_FOUND')) return { holder: undefined };
      if (!isCode(error, 'FAILED_PRECONDITION')) throw error;
      const now = await provider.describe(machine.name);
      if (now.state === 'absent') return { holder: undefined };
      // Another process has claimed it, renewed its claim or freed it.
      const isSame = labelsVersion(withoutClaim(now.labels)) === labelsVersion(own);
      if (!isSame || now.version === seen.version) throw error;
      seen = now;
    }
  }
}

/** The holder of a claim that has not lapsed. A time in the future comes from a clock that was wrong. */
function holderOf(labels: MachineLabels): ClaimHolder | undefined {
  const age = Date.now() - Date.parse(labels[LABELS.at] ?? '');
  return Math.abs(age) < CLAIM_MS ? { by: labels[LABELS.by] ?? 'another process' } : undefined;
}

function claimed(own: MachineLabels, id: string, by: string): MachineLabels {
  return { ...own, [LABELS.id]: id, [LABELS.at]: new Date().toISOString(), [LABELS.by]: by };
}

function withoutClaim(labels: MachineLabels): MachineLabels {
  const names: readonly string[] = Object.values(LABELS);
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !names.includes(name)));
}

interface Held {
  readonly name: string;
  readonly own: MachineLabels;
  readonly id: string;
  readonly by: string;
  readonly version: string;
  readonly renewMs: number;
}

function heldClaim(
  provider: Pick<MachineProvider, 'describe' | 'label'>,
  { name, own, id, by, version: first, renewMs }: Held,
): MachineClaim {
  const done = new AbortController();
  let version = first;
  let last: Promise<void> = Promise.resolve();

  async function renew(): Promise<void> {
    const labels = claimed(own, id, by);
    try {
      ({ version } = await provider.label(name, labels, { if: version }));
    } catch (error) {
      if (isCode(error, 'NOT_FOUND')) return;
      if (!isCode(error, 'FAILED_PRECONDITION')) throw error;
      const now = await provider.describe(name);
      if (now.state === 'absent') return;
      if (now.labels[LABELS.id] !== id) throw takenOver(name, now.labels);
      // The answer to an earlier renewal was lost.
      ({ version } = await provider.label(name, labels, { if: now.version }));
    }
  }

  /** One after the other: each needs the version of the one before. */
  function inOrder(work: () => Promise<void>): Promise<void> {
    last = last.then(work, work);
    return last;
  }

  const renewals = (async () => {
    for await (const _ of setInterval(renewMs, undefined, { signal: done.signal, ref: false })) {
      // `confirm` decides.
      await inOrder(renew).catch(() => undefined);
    }
  })().catch(() => undefined);

  return {
    confirm: () => inOrder(renew),
    [Symbol.asyncDispose]: async () => {
      done.abort();
      await renewals;
      // The machine is normally gone. A claim that cannot be removed lapses.
      await inOrder(async () => void (await provider.label(name, own, { if: version }))).catch(() => undefined);
    },
  };
}

function takenOver(name: string, labels: MachineLabels): MurmurError {
  const by = labels[LABELS.by] ?? 'another process';
  return new MurmurError('FAILED_PRECONDITION', `the end of machine ${name} was taken over by ${by}`, {
    hint: '`murmur machine ls` shows whether it is gone',
    details: { machine: name, by },
  });
}

function isCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof MurmurError && error.code === code;
}
