// How agents on this host are held apart from it.
import type { IsolationChoice } from '../../config/config.ts';
import type { Check } from '../doctor.ts';

export async function isolationCheck(choice: IsolationChoice): Promise<readonly Check[]> {
  await Promise.resolve();
  return [{ name: 'isolation', state: 'ok', message: choice }];
}
