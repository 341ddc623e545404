// stack.json: the record of the embedded stack. Written by stack/, read by all. Built-ins only.
import { readFileSync } from 'node:fs';
import type { TemporalTls } from '../contract/stack.ts';
import type { HomePaths } from './home.ts';

/** The embedded stack as last started. Its processes may have ended since. */
export interface StackFile {
  /** Version of Murmur that started it. */
  readonly version: string;
  readonly supervisor: { readonly pid: number };
  readonly temporal: {
    /** `host:port` of the frontend. */
    readonly address: string;
    readonly namespace: string;
    /** False for an external cluster. */
    readonly embedded?: boolean;
    /** Client certificate for Temporal's relay; absent without a relay. */
    readonly tls?: TemporalTls;
    /** Why every process of this host can use Temporal without credentials. */
    readonly open?: string;
    /** Port of the relay of Temporal's Web UI. */
    readonly ui_port?: number;
    /** URL of Temporal's HTTP API; absent for an external cluster. */
    readonly http_url?: string;
    /** URL of Temporal's Web UI, in files of earlier builds. */
    readonly ui_url?: string;
    readonly pid?: number;
  };
  readonly server: { readonly url: string; readonly pid?: number };
  readonly worker: { readonly pid?: number };
  /** ISO 8601. */
  readonly started_at: string;
}

/** Undefined when no stack was started or the file cannot be read. Callers then assume that nothing runs. */
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
