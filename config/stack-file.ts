// stack.json: what the embedded stack tells about itself. Written by stack/, read by all. Built-ins only.
import { readFileSync } from 'node:fs';
import type { TemporalTls } from '../contract/stack.ts';
import type { HomePaths } from './home.ts';

/** The embedded stack as it was last started; its processes may have died since. */
export interface StackFile {
  /** Version of Murmur that started it. */
  readonly version: string;
  readonly supervisor: { readonly pid: number };
  readonly temporal: {
    /** `host:port` of the frontend. */
    readonly address: string;
    readonly namespace: string;
    /** False when the cluster is not ours. */
    readonly embedded?: boolean;
    /** What a client shows to Temporal's relay; absent where there is none. */
    readonly tls?: TemporalTls;
    /** Why every process of this host can use Temporal without credentials. */
    readonly open?: string;
    /** Port of the relay of Temporal's Web UI. */
    readonly ui_port?: number;
    /** The HTTP form of Temporal's API; absent when the cluster is not ours. */
    readonly http_url?: string;
    /** Temporal's Web UI, in the file of an earlier build. */
    readonly ui_url?: string;
    readonly pid?: number;
  };
  readonly server: { readonly url: string; readonly pid?: number };
  readonly worker: { readonly pid?: number };
  /** ISO 8601. */
  readonly started_at: string;
}

/** Undefined when no stack was started, or the file cannot be read: nothing is running as far as a caller can tell. */
export function readStackFile(paths: HomePaths): StackFile | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(paths.stackFile, 'utf8'));
    return isStackFile(content) ? content : undefined;
  } catch {
    return undefined;
  }
}

function isStackFile(content: unknown): content is StackFile {
  if (typeof content !== 'object' || content === null) return false;
  const { temporal, server } = content as Partial<StackFile>;
  return typeof temporal?.address === 'string' && typeof server?.url === 'string';
}
