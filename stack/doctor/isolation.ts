// How agents on this host are held apart from it.
import type { IsolationChoice } from '../../config/config.ts';
import { detectIsolation } from '../../drivers/machines/isolation/detect.ts';
import type { Check } from '../doctor.ts';

/** What is in force and, when it is the weaker kind, why. */
export async function isolationCheck(choice: IsolationChoice): Promise<readonly Check[]> {
  const name = 'isolation';
  try {
    const { description, reason } = await detectIsolation(choice);
    if (reason === undefined) return [{ name, state: 'ok', message: description }];
    const fix = 'allow user namespaces on this host, or run agents that you would trust with your own account';
    return [{ name, state: 'warning', message: `${description} (namespaces do not work here: ${reason})`, fix }];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [{ name, state: 'problem', message, fix: 'unset MURMUR_ISOLATION' }];
  }
}
