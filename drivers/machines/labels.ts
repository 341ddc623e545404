// Labels of machines, for providers that keep them as they are.
import { createHash } from 'node:crypto';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { MachineLabels } from './provider.ts';

/** `MachineInfo.version` for these labels: the same for the same labels in any order. */
export function labelsVersion(labels: MachineLabels): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16);
}

/** Whether a machine with these labels carries all that are wanted. */
export function carries(labels: MachineLabels, wanted: MachineLabels): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

/** What `label` throws for a version that has passed. */
export function relabelled(name: string): MurmurError {
  return new MurmurError('FAILED_PRECONDITION', `the labels of machine ${name} have changed in the meantime`, {
    hint: 'read them again with `describe`',
  });
}
