// What the local provider needs from isolation.
import type { IsolationSpec } from '../../../contract/wire/isolation.ts';
import type { LocalLayout } from './layout.ts';

export interface LocalIsolation {
  /** Whether each machine gets a user id of its own. */
  readonly ownUser: boolean;
  /** Whether every process that a runner started ends with the machine, so that runners can share one process. */
  readonly isWhole: boolean;
  /** The isolation part of the configuration of the machine's runner. */
  settings(machine: {
    readonly name: string;
    readonly layout: LocalLayout;
    readonly uid: number | undefined;
  }): IsolationSpec;
  /** Ends every process of the machine. Needs no runner. */
  endAll(settings: IsolationSpec): Promise<void>;
}
