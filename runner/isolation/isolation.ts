// The isolation of a machine. Runs in the runner's bundle as well: built-ins and contract/wire only.
import type { IsolationSpec } from '../../contract/wire/isolation.ts';
import { createNamespaceIsolation } from './namespace.ts';
import type { Isolation } from './port.ts';
import { createTrackingIsolation } from './tracking.ts';

/** Throws FAILED_PRECONDITION when the kind cannot work with these settings; `detectIsolation` tells beforehand. */
export function createIsolation(spec: IsolationSpec): Isolation {
  return spec.kind === 'namespace' ? createNamespaceIsolation(spec) : createTrackingIsolation(spec);
}
