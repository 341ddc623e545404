// The provider's own file about a local machine.
import { readFile } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import type { MachineLabels } from '../provider.ts';

export interface LocalRecord {
  readonly name: string;
  readonly labels: MachineLabels;
  /** `provisioning`: its creation has begun and has not ended, or was cut off. */
  readonly state: 'provisioning' | 'running' | 'stopped';
  /** User of the agent's processes, as root. */
  readonly uid?: number;
  /** Different for each machine that had this name. Absent in machines of earlier builds. */
  readonly generation?: string | undefined;
}

/** Undefined when the machine does not exist or its creation was not completed. */
export async function readRecord(file: string): Promise<LocalRecord | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as LocalRecord;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export async function writeRecord(file: string, record: LocalRecord): Promise<void> {
  await writeFileAtomic(file, JSON.stringify(record), { mode: 0o600 });
}

/** Whether a file operation failed because there is no such file. */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
