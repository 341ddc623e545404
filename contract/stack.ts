// stack.json in MURMUR_HOME: written by the supervisor of the embedded stack, read by everything that wants to reach
// it. Types only.
import type { ErrorBody } from './wire/errors.ts';

/** A process that is told apart from a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the system's own form: only compared. */
  readonly started: string;
}

export type StackState = 'starting' | 'ready' | 'stopping' | 'failed';

export type StackChild = 'temporal' | 'worker' | 'server';

/** Files of a client of Temporal, in MURMUR_HOME; each readable by its owner alone. */
export interface TemporalTls {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  /** The name in the server's certificate. */
  readonly server_name: string;
}

/** The embedded stack as it runs. The file is absent when nothing runs, and stale when its processes are gone. */
export interface StackRecord {
  /** Version of Murmur that wrote it. */
  readonly version: string;
  readonly state: StackState;
  readonly supervisor: ProcessIdentity;
  /** What start-up is doing, for people. */
  readonly message: string;
  /** Why start-up failed. */
  readonly error?: ErrorBody;
  readonly started_at: string;
  /** The API server; absent until its port is settled. */
  readonly server?: { readonly url: string };
  /** `embedded` is false when an address was configured: then there is no Temporal child. */
  readonly temporal?: {
    readonly address: string;
    readonly namespace: string;
    readonly embedded: boolean;
    /** Set where Temporal has a network namespace of its own: what its relay wants to see of a client. */
    readonly tls?: TemporalTls;
    /** Why every process of this host can use Temporal without credentials; absent when it cannot. */
    readonly open?: string;
    /** Port of the relay of Temporal's Web UI, which answers to links of `murmur url temporal` only. */
    readonly ui_port?: number;
    /** The HTTP form of Temporal's API, and the only name under which it answers. */
    readonly http_url?: string;
    readonly http_host?: string;
  };
  readonly children: Readonly<Partial<Record<StackChild, ProcessIdentity>>>;
}
