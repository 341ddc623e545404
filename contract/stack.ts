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
  /** `embedded` is false when an address was configured: then there is no Temporal child and no UI of ours. */
  readonly temporal?: {
    readonly address: string;
    readonly namespace: string;
    readonly embedded: boolean;
    readonly ui_url?: string;
    /** The HTTP form of Temporal's API. */
    readonly http_url?: string;
    readonly metrics_url?: string;
  };
  readonly children: Readonly<Partial<Record<StackChild, ProcessIdentity>>>;
}
