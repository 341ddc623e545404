// What the server is made of: handed in by main.ts, and by tests.
import type { Logger } from 'pino';
import type { AgentPlatform } from '../agents/platform.ts';
import type { TokenEntry } from '../contract/wire/tokens.ts';
import type { Telemetry } from '../drivers/telemetry/telemetry.ts';
import type { AllowanceLimits, Allowances } from './allowances/allowances.ts';
import type { MachineLimitsReader } from './machine-limits.ts';
import type { Signer } from './signer.ts';
import type { Timing } from './timing.ts';

/** Knows bearer tokens by their hashes. */
export interface Tokens {
  /** Where they come from, for `auth`. */
  readonly source: string;
  /** The entry of the token, expired ones included; undefined for an unknown one. Takes as long for any token. */
  identify(token: string): Promise<TokenEntry | undefined>;
  /** Another text than before whenever a token may have come, changed or gone. Cheap: for looking often. */
  version(): Promise<string>;
  /** The entry that `tokenName` names so, expired ones included; undefined once it is revoked or replaced. */
  named(name: string): Promise<TokenEntry | undefined>;
}

/** Facts that the server tells about itself, and whom it answers. */
export interface ServerSettings {
  readonly version: string;
  readonly temporal: {
    readonly address: string;
    readonly namespace: string;
    /** Why every process of this host can use it without credentials; absent when none can. */
    readonly open?: string;
  };
  /** Workspace of a call that names none. */
  readonly workspace: string;
  /** Provider of the machines of new agents. */
  readonly provider: string;
  /** Names that a Host header may hold beside the loopback ones, without port. */
  readonly hosts: readonly string[];
  readonly limits: TreeLimits;
  readonly agentLimits: AllowanceLimits;
  /** Where people reach the server, without a slash at its end; absent: wherever the caller does. */
  readonly publicUrl?: string;
  /** Largest upload, in bytes. */
  readonly uploadLimit: number;
}

/** How far a tree of agents may grow. */
export interface TreeLimits {
  /** Levels, the root being the first. */
  readonly depth: number;
  /** Living agents beneath one root, itself included. */
  readonly agents: number;
}

/** Everything the handlers work with. */
export interface ServerParts extends AgentPlatform {
  readonly tokens: Tokens;
  readonly signer: Signer;
  readonly allowances: Allowances;
  readonly machineLimits: MachineLimitsReader;
  readonly settings: ServerSettings;
  readonly timing: Timing;
  /** Absent: no traces and metrics are made. */
  readonly telemetry?: Telemetry;
  readonly log: Logger;
}
