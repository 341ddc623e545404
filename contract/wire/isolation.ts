// How an agent's processes are isolated, as the runner's configuration describes it. Imports types only.
import type { MachineLimits } from './machine-limits.ts';

/** `namespace`: Linux namespaces. `tracking`: no isolation, but each of the agent's processes is found and ended. */
export type IsolationKind = 'namespace' | 'tracking';

/** What enforces the limits of a machine. */
export interface LimitsInForce {
  /** `program`: per program and its descendants; the agent is one program. */
  readonly processes: 'cgroup' | 'user' | 'program' | 'none';
  /** `process`: per process. */
  readonly memory: 'cgroup' | 'process';
}

/** The part that is the same for all kinds. Paths are absolute and without symbolic links. */
interface IsolationPlan {
  /** Name of the machine, in the MURMUR_MACHINE of every process. */
  readonly machine: string;
  readonly paths: {
    /** Owned by the agent, and visible to it at the same path. `work` too. */
    readonly home: string;
    readonly work: string;
    /** Owned by the caller. The agent can pass through it and not change it. */
    readonly run: string;
    /** For files of the isolation itself, such as the machine's /tmp. Created if missing. */
    readonly isolation: string;
  };
  /** User and group of the agent, when the caller is root. */
  readonly uid?: number;
  /** Folders hidden from the agent, such as MURMUR_HOME. Needed and shown paths below them stay visible. */
  readonly hide: readonly string[];
  /** Programs that stay visible even inside a folder that the agent cannot enter. */
  readonly keep: readonly string[];
  /** Paths below a hidden folder that stay visible read-only, because a person has named them. */
  readonly show?: readonly string[];
  /** Limits of the machine; the defaults if absent. */
  readonly limits?: MachineLimits;
}

/** An isolation that works on the machine. A provider on the machine itself has tried it out. */
export interface IsolationSpec extends IsolationPlan {
  readonly kind: IsolationKind;
  /** For people. Absent with tracking, which limits only the disk, and on machines of earlier builds. */
  readonly limitsInForce?: LimitsInForce;
}

/**
 * The isolation that a provider of another host requests; the runner tries on the machine what works. A root runner
 * runs the agent as its own user: `uid`, or an unused one on a machine with one agent. Any other runner hides the HOME
 * that it shares with the agent.
 */
export interface IsolationRequest extends IsolationPlan {
  /** `auto` uses namespaces where they work. With `namespace`, the runner does not start where they do not work. */
  readonly choice: 'auto' | IsolationKind;
}

/** `<machine>/runner/isolation.json`, mode 0600: a runner that got a request writes it before it answers. */
export type IsolationInForce = Pick<IsolationSpec, 'kind' | 'limitsInForce'>;
