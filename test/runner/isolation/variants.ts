// The ways in which this host and this user can hold a machine.
import { detectIsolation } from '../../../runner/isolation/detect.ts';
import type { MachineOptions } from './held-machine.ts';
import { canRunAs } from './held-machine.ts';

const NOBODY = 65_534;
/**
 * User of agents in these tests, and the next one: of no other test process, as all processes of a user are counted and ended
 * together.
 */
export const AGENT = 1_909_000_000 + (process.pid % 400_000) * 2;

export interface Variant {
  readonly name: string;
  /** False where the host offers no namespaces, or this user none of that sort: the suite is skipped. */
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
