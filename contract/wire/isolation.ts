// How the processes of an agent are held apart: what travels in the runner's configuration. No imports but types.
import type { MachineLimits } from './machine-limits.ts';

/** `namespace`: Linux namespaces. `tracking`: no wall, but every process is found again and ended. */
export type IsolationKind = 'namespace' | 'tracking';

/** By what the limits of a machine hold. */
export interface LimitsInForce {
  /** `program`: for each program with all that it starts, of which the agent is one. */
  readonly processes: 'cgroup' | 'user' | 'program' | 'none';
  /** `process`: for each process by itself. */
  readonly memory: 'cgroup' | 'process';
}

/** What holds whatever the kind is. Paths are absolute and real. */
interface IsolationPlan {
  /** Name of the machine, in every process's MURMUR_MACHINE. */
  readonly machine: string;
  readonly paths: {
    /** The agent's own; visible inside at the same paths. */
    readonly home: string;
    readonly work: string;
    /** The caller's, which the agent can pass through and not change. */
    readonly run: string;
    /** For files of the isolation itself, such as the machine's /tmp. Made when missing. */
    readonly isolation: string;
  };
  /** User and group of the agent, when the caller is root. */
  readonly uid?: number;
  /** Folders that the agent must not see: MURMUR_HOME. What is needed and shown below them stays visible. */
  readonly hide: readonly string[];
  /** Paths that stay visible although they lie in a folder that the agent cannot enter: programs. */
  readonly keep: readonly string[];
  /** More that stays visible, read-only, below a hidden folder: what a person has named. */
  readonly show?: readonly string[];
  /** What the agent may take; the defaults when absent. */
  readonly limits?: MachineLimits;
}

/** An isolation that is known to work on the machine: a provider writes it that is there itself, and tried it. */
export interface IsolationSpec extends IsolationPlan {
  readonly kind: IsolationKind;
  /** For people; absent with tracking, which bounds only the disk, and on machines of earlier builds. */
  readonly limitsInForce?: LimitsInForce;
}

/**
 * What a provider wants that is not on the machine: the runner tries there what works. A root runner gives the agent a user
 * of its own, `uid` or one that nobody else has on a machine with one agent; any other covers the HOME that it shares.
 */
export interface IsolationWishes extends IsolationPlan {
  /** `auto` takes namespaces where they work; with `namespace` the runner does not start where they do not. */
  readonly choice: 'auto' | IsolationKind;
}

/** `<machine>/runner/isolation.json`, mode 0600: written by a runner that was given wishes, before it answers. */
export type IsolationInForce = Pick<IsolationSpec, 'kind' | 'limitsInForce'>;
