// The variants of isolation for this host and user.
import { detectIsolation } from '../../../runner/isolation/detect.ts';
import type { MachineOptions } from './held-machine.ts';
import { canRunAs } from './held-machine.ts';

const NOBODY = 65_534;
/**
 * This and the next user id are for agents in these tests. No other test process uses them, because all processes of a
 * user are counted and ended together.
 */
export const AGENT = 1_909_000_000 + (process.pid % 400_000) * 2;

export interface Variant {
  readonly name: string;
  /** False where the variant does not work for this host or user. Then the suite is skipped. */
  readonly isPossible: boolean;
  readonly options: MachineOptions;
}

const isRoot = process.getuid?.() === 0;
const hasNamespaces = (await detectIsolation('auto')).kind === 'namespace';

export const asRoot: Variant = {
  name: 'namespaces, for root',
  isPossible: hasNamespaces && isRoot,
  options: { kind: 'namespace', agentUid: AGENT },
};

export const asUser: Variant = {
  name: 'namespaces, for another user than root',
  isPossible: hasNamespaces && (!isRoot || (await canRunAs(NOBODY))),
  options: { kind: 'namespace', ...(isRoot ? { holderUid: NOBODY } : {}) },
};

export const tracked: Variant = { name: 'tracking', isPossible: true, options: { kind: 'tracking' } };
