// Labels of machines, for providers that store them unchanged.
import { createHash } from 'node:crypto';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { MachineLabels } from './provider.ts';

/** `MachineInfo.version` for these labels. The order of the labels does not matter. */
export function labelsVersion(labels: MachineLabels): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16);
}

/** Whether the labels include all wanted ones. */
export function carries(labels: MachineLabels, wanted: MachineLabels): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

/** The error of `label` for a version that is out of date. */
export function relabelled(name: string): MurmurError {
  return new MurmurError('FAILED_PRECONDITION', `the labels of machine ${name} have changed in the meantime`, {
    hint: 'read them again with `describe`',
  });
}
