// The isolation of a machine. Part of the runner's bundle too: built-ins and contract/wire only.
import type { IsolationSpec } from '../../contract/wire/isolation.ts';
import { createNamespaceIsolation } from './namespace.ts';
import type { Isolation } from './port.ts';
import { createTrackingIsolation } from './tracking.ts';

/** Throws FAILED_PRECONDITION when the kind does not work with these settings; `detectIsolation` checks in advance. */
export function createIsolation(spec: IsolationSpec): Isolation {
  return spec.kind === 'namespace' ? createNamespaceIsolation(spec) : createTrackingIsolation(spec);
}
