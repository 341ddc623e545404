import { describe, expect, it } from '@jest/globals';
import type { MurmurError } from '../../../../contract/wire/errors.ts';
import type { Task, TaskUpdateInput } from '../../../../contract/wire/tasks.ts';
import {
  TASK_LIMIT,
  activateTasks,
  createTask,
  getTask,
  listTasks,
  openTasks,
  updateTask,
} from '../../../../workflows/agent/turn/checklist.ts';

function tasksOf(...subjects: string[]): readonly Task[] {
  return subjects.reduce<readonly Task[]>(
    (tasks, subject, index) => createTask(tasks, { subject }, String(index + 1)).tasks,
    [],
  );
}

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as MurmurError).code;
  }
}

describe('createTask', () => {
  it('creates a pending, open task', () => {
    const tasks = tasksOf('write tests');
    expect(tasks).toEqual([
      { id: '1', subject: 'write tests', status: 'pending', blocks: [], blocked_by: [], dormant: false },
    ]);
    expect(openTasks(tasks)).toHaveLength(1);
  });

  it('creates a dormant task that is not open if it has an activation', () => {
    const { tasks, task } = createTask([], { subject: 'lint', activate_when: 'files_modified', pattern: '*.go' }, '1');
    expect(task).toMatchObject({ dormant: true, activation: { condition: 'files_modified', pattern: '*.go' } });
    expect(openTasks(tasks)).toEqual([]);
  });

  it.each([
    [{ subject: ' ' }, 'empty'],
    [{ subject: 'x'.repeat(1_001) }, '1001 characters'],
    [{ subject: 'x', description: 'x'.repeat(2_001) }, '2001 characters'],
    [{ subject: 'x', pattern: '*.go' }, 'activate_when'],
    [{ subject: 'x', activate_when: 'files_modified' as const }, 'needs a pattern'],
    [{ subject: 'x', activate_when: 'files_modified' as const, pattern: '[a' }, 'unfinished'],
  ])('refuses %j, saying what is wrong', (input, words) => {
    expect(() => createTask([], input, '1')).toThrow(words);
    expect(codeOf(() => createTask([], input, '1'))).toBe('INVALID_ARGUMENT');
  });

  it('refuses a task above the limit, and ignores one that comes with a message', () => {
    const full = tasksOf(...Array.from({ length: TASK_LIMIT }, (_, index) => `task ${index.toString()}`));
    expect(codeOf(() => createTask(full, { subject: 'more' }, 'x'))).toBe('RESOURCE_EXHAUSTED');
    expect(createTask(full, { subject: 'more' }, 'x', 'silent').tasks).toBe(full);
  });
});

describe('updateTask', () => {
  it('changes only the given fields', () => {
    const { task } = updateTask(tasksOf('a'), { task_id: '1', status: 'in_progress', description: 'soon' });
    expect(task).toMatchObject({ subject: 'a', status: 'in_progress', description: 'soon' });
  });

  it.each(['done', 'skipped', 'deleted'] as const)('%s closes a task', (status) => {
    expect(openTasks(updateTask(tasksOf('a'), { task_id: '1', status }).tasks)).toEqual([]);
  });

  it('hides a deleted task from the list, but returns it by its id', () => {
    const { tasks } = updateTask(tasksOf('a', 'b'), { task_id: '1', status: 'deleted' });
    expect(listTasks(tasks).map((task) => task.id)).toEqual(['2']);
    expect(getTask(tasks, '1').status).toBe('deleted');
  });

  it('activates a dormant task whose status changes', () => {
    const { tasks } = createTask([], { subject: 'l', activate_when: 'files_modified', pattern: '*' }, '1');
    expect(updateTask(tasks, { task_id: '1', status: 'in_progress' }).task.dormant).toBe(false);
  });

  it('keeps both ends of an edge', () => {
    const { tasks } = updateTask(tasksOf('a', 'b', 'c'), { task_id: '2', add_blocked_by: ['1'], add_blocks: ['3'] });
    expect(tasks.map(({ blocks, blocked_by }) => [blocks, blocked_by])).toEqual([
      [['2'], []],
      [['3'], ['1']],
      [[], ['2']],
    ]);
  });

  it('removes the edges of a deleted task, and refuses new ones', () => {
    const { tasks } = updateTask(tasksOf('a', 'b', 'c'), { task_id: '2', add_blocked_by: ['1'], add_blocks: ['3'] });
    const left = updateTask(tasks, { task_id: '2', status: 'deleted' }).tasks;
    expect(left.every(({ blocks, blocked_by }) => blocks.length + blocked_by.length === 0)).toBe(true);
    expect(codeOf(() => updateTask(left, { task_id: '1', add_blocks: ['2'] }))).toBe('NOT_FOUND');
    // Deleting the task removed the cycle: the opposite edge is allowed.
    expect(updateTask(left, { task_id: '3', add_blocks: ['1'] }).task.blocks).toEqual(['1']);
  });

  it('adds an edge once, however often it is requested', () => {
    const input = { task_id: '1', add_blocks: ['2', '2'] };
    expect(updateTask(updateTask(tasksOf('a', 'b'), input).tasks, input).task.blocks).toEqual(['2']);
  });

  it.each<[string, TaskUpdateInput]>([
    ['NOT_FOUND', { task_id: '9' }],
    ['NOT_FOUND', { task_id: '1', add_blocks: ['9'] }],
    ['INVALID_ARGUMENT', { task_id: '1', add_blocks: ['1'] }],
    ['INVALID_ARGUMENT', { task_id: '1', subject: '' }],
    ['INVALID_ARGUMENT', { task_id: '1', status: 'finished' as 'done' }],
  ])('throws %s for %j', (code, input) => {
    expect(codeOf(() => updateTask(tasksOf('a'), input))).toBe(code);
  });

  it('refuses an edge that closes a cycle of any length, and does not change the list', () => {
    const chain = ['1', '2', '3', '4'].reduce(
      (tasks, id) => updateTask(tasks, { task_id: id, add_blocks: [String(Number(id) + 1)] }).tasks,
      tasksOf('a', 'b', 'c', 'd', 'e'),
    );
    const before = JSON.stringify(chain);
    expect(() => updateTask(chain, { task_id: '5', add_blocks: ['1'] })).toThrow('because it depends on that task');
    expect(codeOf(() => updateTask(chain, { task_id: '1', add_blocked_by: ['4'] }))).toBe('INVALID_ARGUMENT');
    expect(JSON.stringify(chain)).toBe(before);
  });
});

describe('activateTasks', () => {
  const { tasks } = createTask([], { subject: 'l', activate_when: 'files_modified', pattern: '**/*.go' }, '1');

  it('activates a task when a matching file has changed', () => {
    expect(activateTasks(tasks, ['README.md', 'cmd/main.go'])[0]?.dormant).toBe(false);
  });

  it('does not change the list otherwise', () => {
    expect(activateTasks(tasks, ['README.md'])).toBe(tasks);
  });
});
