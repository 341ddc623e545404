// The dependencies of the server, passed in by main.ts and by tests.
import type { Logger } from 'pino';
import type { AgentPlatform } from '../agents/platform.ts';
import type { TokenEntry } from '../contract/wire/tokens.ts';
import type { Telemetry } from '../drivers/telemetry/telemetry.ts';
import type { AllowanceLimits, Allowances } from './allowances/allowances.ts';
import type { MachineLimitsReader } from './machine-limits.ts';
import type { Signer } from './signer.ts';
import type { Timing } from './timing.ts';

/** Finds bearer tokens by their hashes. */
export interface Tokens {
  /** Source of the tokens, for `auth`. */
  readonly source: string;
  /** The token's entry, even if it has expired; undefined for an unknown token. Constant time. */
  identify(token: string): Promise<TokenEntry | undefined>;
  /** Changes whenever a token may have been added, changed or removed. Cheap, for frequent checks. */
  version(): Promise<string>;
  /** The entry with this `tokenName`, even if it has expired; undefined once it is revoked or replaced. */
  named(name: string): Promise<TokenEntry | undefined>;
}

/** Facts that the server reports about itself, and its settings. */
export interface ServerSettings {
  readonly version: string;
  readonly temporal: {
    readonly address: string;
    readonly namespace: string;
    /** Why Temporal is open to every process of this host; absent when it requires certificates. */
    readonly open?: string;
  };
  /** Workspace of a call that names none. */
  readonly workspace: string;
  /** Provider of the machines of new agents. */
  readonly provider: string;
  /** Accepted names of a Host header besides loopback, without port. */
  readonly hosts: readonly string[];
  readonly limits: TreeLimits;
  readonly agentLimits: AllowanceLimits;
  /** URL of the server for people, without trailing slash. When absent, the address that the caller used. */
  readonly publicUrl?: string;
  /** Largest upload, in bytes. */
  readonly uploadLimit: number;
}

/** Limits of a tree of agents. */
export interface TreeLimits {
  /** Levels; the root is the first. */
  readonly depth: number;
  /** Living agents below one root, including itself. */
  readonly agents: number;
}

/** Everything that handlers use. */
export interface ServerParts extends AgentPlatform {
  readonly tokens: Tokens;
  readonly signer: Signer;
  readonly allowances: Allowances;
  readonly machineLimits: MachineLimitsReader;
  readonly settings: ServerSettings;
  readonly timing: Timing;
  /** Absent: no traces and metrics. */
  readonly telemetry?: Telemetry;
  readonly log: Logger;
}
