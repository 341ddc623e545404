// Checklist tasks. Loaded by the workflow sandbox: no imports.

/** The statuses of a task. */
export const TASK_STATUSES = ['pending', 'in_progress', 'done', 'skipped', 'deleted'] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** Reads a status in any accepted spelling: `completed` is `done`, TASK_STATUS_… forms too. Undefined if unknown. */
export function parseTaskStatus(text: string): TaskStatus | undefined {
  const name = text
    .trim()
    .toLowerCase()
    .replace(/^task_status_/, '')
    .replaceAll('-', '_');
  const status = name === 'completed' ? 'done' : name;
  return (TASK_STATUSES as readonly string[]).includes(status) ? (status as TaskStatus) : undefined;
}

/** When a dormant task becomes active: after a turn has changed a file that matches the glob. */
export interface TaskActivation {
  readonly condition: 'files_modified';
  readonly pattern: string;
}

/** One item of an agent's checklist. */
export interface Task {
  /** Opaque; the first of an agent is `1`. */
  readonly id: string;
  readonly subject: string;
  readonly description?: string;
  readonly status: TaskStatus;
  /** Ids of tasks that wait for this one. */
  readonly blocks: readonly string[];
  /** Ids of tasks that this one waits for. */
  readonly blocked_by: readonly string[];
  readonly activation?: TaskActivation;
  /** True while the activation has not fired: the task does not keep the agent from idling. */
  readonly dormant: boolean;
}

export interface TaskCreateInput {
  readonly subject: string;
  readonly description?: string;
  readonly activate_when?: 'files_modified';
  readonly pattern?: string;
}

export interface TaskUpdateInput {
  readonly task_id: string;
  readonly status?: TaskStatus;
  readonly subject?: string;
  readonly description?: string;
  readonly add_blocks?: readonly string[];
  readonly add_blocked_by?: readonly string[];
}
