// The protocol between this side and the program that manages a host's machines: lines of JSON. Types only.
import type { MachineLimits } from '../../../contract/wire/machine-limits.ts';
import type { ErrorBody } from '../../../contract/wire/errors.ts';
import type { ProvenAccess } from '../../../runner/identity/proof.ts';
import type { LaunchOptions, MachineFacts, MachineInfo, MachineLabels, MachineSpec, RunnerUse } from '../provider.ts';

/** The first message to the program. */
export interface HostStart {
  readonly limits: MachineLimits;
  /** Folders that agents without their own user can see. */
  readonly show: readonly string[];
}

/** What an inspection of a host finds, before any machine exists there. */
export interface HostReport {
  readonly facts: MachineFacts;
  /** How agents there are isolated, for people. */
  readonly isolation: string;
}

/** A machine as a connection to it needs it. */
export interface HostMachine {
  readonly paths: { readonly home: string; readonly work: string; readonly runner: string };
  /** First on the PATH of its commands. */
  readonly bin: string;
  /** PATH of the login. */
  readonly path: string;
}

/** The program's calls: name → arguments and answer. */
export interface HostCalls {
  start: { readonly args: HostStart; readonly answer: Record<string, never> };
  inspect: { readonly args: Record<string, never>; readonly answer: HostReport };
  create: { readonly args: { readonly spec: MachineSpec; readonly requestId: string }; readonly answer: MachineInfo };
  describe: { readonly args: { readonly name: string }; readonly answer: MachineInfo };
  label: {
    readonly args: { readonly name: string; readonly labels: MachineLabels; readonly if: string };
    readonly answer: MachineInfo;
  };
  startMachine: { readonly args: { readonly name: string }; readonly answer: Record<string, never> };
  stop: { readonly args: { readonly name: string }; readonly answer: Record<string, never> };
  destroy: { readonly args: { readonly name: string }; readonly answer: Record<string, never> };
  list: { readonly args: { readonly labels: MachineLabels }; readonly answer: readonly MachineInfo[] };
  connect: { readonly args: { readonly name: string }; readonly answer: HostMachine };
  facts: { readonly args: { readonly name: string }; readonly answer: MachineFacts };
  launch: {
    readonly args: {
      readonly name: string;
      readonly command: string;
      readonly words: readonly string[];
    } & LaunchOptions;
    readonly answer: Record<string, never>;
  };
  ensureRunner: {
    readonly args: {
      readonly name: string;
      /** On the host. */
      readonly bundle: string;
      readonly use: RunnerUse;
      readonly askOnce?: boolean;
      readonly startLimitMs?: number;
    };
    readonly answer: ProvenAccess;
  };
  recordedRunner: { readonly args: { readonly name: string }; readonly answer: { readonly access?: ProvenAccess } };
}

export type HostCallName = keyof HostCalls;

/** A line to the program. */
export type HostRequest =
  | { readonly id: number; readonly call: HostCallName; readonly args: unknown }
  | { readonly cancel: number };

/** A line from it. */
export type HostReply =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: ErrorBody };
