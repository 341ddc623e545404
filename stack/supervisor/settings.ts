// The start parameters of a supervisor. They contain no secrets: every user can see them in the list of processes.
import type { HomePaths } from '../../config/home.ts';
import type { WantedPorts } from '../ports.ts';
import type { NetworkIsolation } from '../network/isolation.ts';

export interface StackSettings {
  readonly home: HomePaths;
  readonly version: string;
  /** The server program to start, or the address of a running server. */
  readonly temporal:
    | { readonly binary: string; readonly network: NetworkIsolation }
    | { readonly address: string; readonly namespace: string; readonly open?: string };
  readonly ports: WantedPorts;
  /** Entry files instead of the package's own. Tests use programs that fail. */
  readonly entries?: Partial<Record<'worker' | 'server', string>>;
}
