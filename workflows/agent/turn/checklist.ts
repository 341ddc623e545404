// The checklist of an agent. Pure: contract/wire only. Functions return a new list, so that an update's validator can
// try a change without applying it.
import { MurmurError } from '../../../contract/wire/errors.ts';
import { TASK_STATUSES } from '../../../contract/wire/tasks.ts';
import type { Task, TaskCreateInput, TaskStatus, TaskUpdateInput } from '../../../contract/wire/tasks.ts';
import { globProblem, matchesGlob } from './glob.ts';

/**
 * Tasks of one agent, including deleted ones. With the length limits below, the list stays small enough to be carried
 * over.
 */
export const TASK_LIMIT = 200;
const SUBJECT_LIMIT = 1_000;
const DESCRIPTION_LIMIT = 2_000;

/**
 * Adds a task. Throws INVALID_ARGUMENT for bad input and RESOURCE_EXHAUSTED for a full list.
 * @param problems `silent` returns the list unchanged instead of throwing: items that come with a message cannot be
 * refused
 */
export function createTask(
  tasks: readonly Task[],
  input: TaskCreateInput,
  id: string,
  problems: 'throw' | 'silent' = 'throw',
): { readonly tasks: readonly Task[]; readonly task: Task } {
  const { subject, description, activate_when: condition, pattern } = input;
  const task: Task = {
    id,
    subject,
    ...(description === undefined ? {} : { description }),
    status: 'pending',
    blocks: [],
    blocked_by: [],
    ...(condition === undefined || pattern === undefined ? {} : { activation: { condition, pattern } }),
    dormant: condition !== undefined,
  };
  const problem = textProblem(input) ?? activationProblem(input);
  const full = tasks.length >= TASK_LIMIT;
  if (problems === 'silent' && (full || problem !== undefined)) return { tasks, task };
  if (problem !== undefined) throw new MurmurError('INVALID_ARGUMENT', problem);
  if (full) throw new MurmurError('RESOURCE_EXHAUSTED', `the checklist is full: it holds ${TASK_LIMIT} tasks`);
  return { tasks: [...tasks, task], task };
}

/**
 * Changes a task. Throws NOT_FOUND for an unknown id, including the ids of edges, and INVALID_ARGUMENT for bad values
 * and for an edge that would close a cycle.
 */
export function updateTask(
  tasks: readonly Task[],
  input: TaskUpdateInput,
): { readonly tasks: readonly Task[]; readonly task: Task } {
  const { task_id, status, subject, description } = input;
  getTask(tasks, task_id);
  const problem = textProblem({ ...(subject === undefined ? { subject: 'kept' } : { subject }), ...pick(description) });
  if (problem !== undefined) throw new MurmurError('INVALID_ARGUMENT', problem);
  if (status !== undefined && !(TASK_STATUSES as readonly string[]).includes(status)) {
    throw new MurmurError('INVALID_ARGUMENT', `unknown task status ${JSON.stringify(status)}`, {
      hint: `use one of ${TASK_STATUSES.join(', ')}`,
    });
  }
  const listed = status === 'deleted' ? withoutEdges(tasks, task_id) : tasks;
  const changed = listed.map((task) =>
    task.id === task_id
      ? {
          ...task,
          ...(status === undefined ? {} : { status, dormant: task.dormant && status === 'pending' }),
          ...(subject === undefined ? {} : { subject }),
          ...pick(description),
        }
      : task,
  );
  const edges = [
    ...(input.add_blocks ?? []).map((later) => [task_id, later] as const),
    ...(input.add_blocked_by ?? []).map((earlier) => [earlier, task_id] as const),
  ];
  const linked = edges.reduce((list, [earlier, later]) => addEdge(list, earlier, later), changed);
  return { tasks: linked, task: getTask(linked, task_id) };
}

/** Throws NOT_FOUND. */
export function getTask(tasks: readonly Task[], id: string): Task {
  const task = tasks.find((each) => each.id === id);
  if (task !== undefined) return task;
  throw new MurmurError('NOT_FOUND', `no task ${JSON.stringify(id)}`, {
    hint: 'list the tasks with `murmur task ls`',
    details: { task_id: id },
  });
}

/** The tasks that people see. */
export function listTasks(tasks: readonly Task[]): Task[] {
  return tasks.filter((task) => task.status !== 'deleted');
}

/** Tasks that keep the agent from idling: neither finished nor dormant. */
export function openTasks(tasks: readonly Task[]): Task[] {
  return tasks.filter((task) => !task.dormant && OPEN.includes(task.status));
}

const OPEN: readonly TaskStatus[] = ['pending', 'in_progress'];

/** Wakes the dormant tasks whose pattern matches one of the files; the list itself when none does. */
export function activateTasks(tasks: readonly Task[], files: readonly string[]): readonly Task[] {
  const wakes = (task: Task): boolean =>
    task.dormant &&
    task.activation !== undefined &&
    files.some((file) => matchesGlob(task.activation?.pattern ?? '', file));
  return tasks.some(wakes) ? tasks.map((task) => (wakes(task) ? { ...task, dormant: false } : task)) : tasks;
}

function addEdge(tasks: readonly Task[], earlier: string, later: string): Task[] {
  for (const id of [earlier, later]) {
    if (getTask(tasks, id).status !== 'deleted') continue;
    throw new MurmurError('NOT_FOUND', `task ${JSON.stringify(id)} is deleted`, { details: { task_id: id } });
  }
  if (earlier === later) {
    throw new MurmurError('INVALID_ARGUMENT', `task ${earlier} cannot block itself`, { details: { task_id: earlier } });
  }
  if (reaches(tasks, later, earlier)) {
    throw new MurmurError(
      'INVALID_ARGUMENT',
      `task ${earlier} cannot block task ${later}, because it depends on that task`,
      {
        details: { task_id: earlier, blocks: later },
      },
    );
  }
  return tasks.map((task) => {
    if (task.id === earlier) return { ...task, blocks: withItem(task.blocks, later) };
    if (task.id === later) return { ...task, blocked_by: withItem(task.blocked_by, earlier) };
    return task;
  });
}

/** Removes the edges of a task that is deleted. */
function withoutEdges(tasks: readonly Task[], id: string): readonly Task[] {
  const others = (ids: readonly string[]): readonly string[] => ids.filter((each) => each !== id);
  return tasks.map((task) =>
    task.id === id
      ? { ...task, blocks: [], blocked_by: [] }
      : { ...task, blocks: others(task.blocks), blocked_by: others(task.blocked_by) },
  );
}

/** Whether `to` is `from` or depends on it, directly or indirectly. */
function reaches(tasks: readonly Task[], from: string, to: string): boolean {
  const open = [from];
  const visited = new Set<string>();
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id === to) return true;
    if (visited.has(id)) continue;
    visited.add(id);
    open.push(...getTask(tasks, id).blocks);
  }
  return false;
}

function withItem(list: readonly string[], item: string): readonly string[] {
  return list.includes(item) ? list : [...list, item];
}

function pick(description: string | undefined): { description?: string } {
  return description === undefined ? {} : { description };
}

function textProblem(input: { readonly subject: unknown; readonly description?: unknown }): string | undefined {
  const { subject, description } = input;
  if (typeof subject !== 'string' || subject.trim() === '') return 'the subject of a task is empty';
  if (subject.length > SUBJECT_LIMIT) {
    return `the subject has ${subject.length} characters, the limit is ${SUBJECT_LIMIT}`;
  }
  if (description === undefined) return undefined;
  if (typeof description !== 'string') return 'the description of a task is not text';
  return description.length > DESCRIPTION_LIMIT
    ? `the description has ${description.length} characters, the limit is ${DESCRIPTION_LIMIT}`
    : undefined;
}

function activationProblem({ activate_when: condition, pattern }: TaskCreateInput): string | undefined {
  if (condition === undefined)
    return pattern === undefined ? undefined : 'a pattern needs activate_when files_modified';
  if (condition !== 'files_modified') return `unknown condition ${JSON.stringify(condition)}, use files_modified`;
  return pattern === undefined ? 'files_modified needs a pattern' : globProblem(pattern);
}
