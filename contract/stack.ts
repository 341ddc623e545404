// stack.json in MURMUR_HOME: the supervisor of the embedded stack writes it; programs read it to reach the stack. Types
// only.
import type { ErrorBody } from './wire/errors.ts';

/** Identifies a process, even if its process id is reused later. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the system's form. Only used for comparison. */
  readonly started: string;
}

export type StackState = 'starting' | 'ready' | 'stopping' | 'failed';

export type StackChild = 'temporal' | 'worker' | 'server';

/** TLS files of a Temporal client, in MURMUR_HOME. Only the owner can read them. */
export interface TemporalTls {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  /** The name in the server's certificate. */
  readonly server_name: string;
}

/** The running embedded stack. The file is absent if no stack runs, and stale if its processes are gone. */
export interface StackRecord {
  /** Version of Murmur that wrote it. */
  readonly version: string;
  readonly state: StackState;
  readonly supervisor: ProcessIdentity;
  /** The current step of start-up, for people. */
  readonly message: string;
  /** Why start-up failed. */
  readonly error?: ErrorBody;
  readonly started_at: string;
  /** The API server; absent until its port is known. */
  readonly server?: { readonly url: string };
  /** `embedded` is false if an address is configured; there is then no Temporal child. */
  readonly temporal?: {
    readonly address: string;
    readonly namespace: string;
    readonly embedded: boolean;
    /** What the relay requires of a client. Set if Temporal runs in its own network namespace. */
    readonly tls?: TemporalTls;
    /** Why every process of this host can use Temporal without credentials; absent if credentials are required. */
    readonly open?: string;
    /** Port of the relay of Temporal's Web UI, which only accepts links of `murmur url temporal`. */
    readonly ui_port?: number;
    /** Temporal's HTTP API. */
    readonly http_url?: string;
    /** The only Host header that it accepts. */
    readonly http_host?: string;
  };
  readonly children: Readonly<Partial<Record<StackChild, ProcessIdentity>>>;
}
