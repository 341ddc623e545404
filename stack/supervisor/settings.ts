// What a supervisor is told when it starts. Everything in it may be seen by anybody who lists processes.
import type { HomePaths } from '../../config/home.ts';
import type { WantedPorts } from '../ports.ts';
import type { NetworkIsolation } from '../network/isolation.ts';

export interface StackSettings {
  readonly home: HomePaths;
  readonly version: string;
  /** The server program to start, or the address of one that runs already. */
  readonly temporal:
    | { readonly binary: string; readonly network: NetworkIsolation }
    | { readonly address: string; readonly namespace: string; readonly open?: string };
  readonly ports: WantedPorts;
  /** Entry files to run instead of the package's own: tests put programs there that fail. */
  readonly entries?: Partial<Record<'worker' | 'server', string>>;
}
