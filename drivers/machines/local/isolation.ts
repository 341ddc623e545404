// What the local provider needs of isolation.
import type { IsolationSpec } from '../../../contract/wire/isolation.ts';
import type { LocalLayout } from './layout.ts';

export interface LocalIsolation {
  /** Whether each machine gets a user id of its own. */
  readonly ownUser: boolean;
  /** Whether what a machine's runner has started ends with it whatever it does, so that runners can share a process. */
  readonly isWhole: boolean;
  /** What the machine's runner is told. */
  settings(machine: {
    readonly name: string;
    readonly layout: LocalLayout;
    readonly uid: number | undefined;
  }): IsolationSpec;
  /** Ends everything that was started inside, also without a runner. */
  endAll(settings: IsolationSpec): Promise<void>;
}
