// Where cgroups are created, in typical trees: folders and files of the test instead of the kernel's.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DEFAULT_MACHINE_LIMITS } from '../../../contract/wire/machine-limits.ts';
import { cgroupParents, makeCgroups } from '../../../runner/isolation/cgroups.ts';

describe('cgroupParents', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'cgroups-'));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  function tree(files: Readonly<Record<string, string>>): void {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), content);
    }
  }

  it("in version 1 are the process's own cgroups of each controller", () => {
    tree({ 'memory/box/cgroup.procs': '', 'pids/cgroup.procs': '' });
    expect(cgroupParents({ root, own: '9:cpu,cpuacct:/box\n8:pids:/\n4:memory:/box\n0::/\n' })).toEqual([
      { folder: join(root, 'memory/box'), version: 1, controllers: ['memory'] },
      { folder: join(root, 'pids'), version: 1, controllers: ['pids'] },
    ]);
  });

  it('in version 2 are the nearest ancestor that delegates both controllers', () => {
    const session = 'user.slice/user-0.slice/session-1.scope';
    tree({
      'cgroup.procs': '',
      'cgroup.subtree_control': 'cpu memory pids\n',
      'user.slice/cgroup.procs': '',
      'user.slice/cgroup.subtree_control': 'memory pids\n',
      'user.slice/user-0.slice/cgroup.procs': '',
      'user.slice/user-0.slice/cgroup.subtree_control': '\n',
      [`${session}/cgroup.procs`]: '1',
      [`${session}/cgroup.subtree_control`]: '',
    });
    expect(cgroupParents({ root, own: `0::/${session}\n` })).toEqual([
      { folder: join(root, 'user.slice'), version: 2, controllers: ['memory', 'pids'] },
    ]);
  });

  it('are empty when no controller is delegated, and on a system without cgroups', () => {
    tree({ 'cgroup.procs': '', 'cgroup.subtree_control': 'cpu\n', 'a/cgroup.procs': '' });
    expect(cgroupParents({ root, own: '0::/a\n' })).toEqual([]);
    expect(cgroupParents({ root: join(root, 'absent'), own: '0::/a\n' })).toEqual([]);
  });

  it('get the limits, below a new cgroup that delegates the controllers', () => {
    tree({ 'cgroup.procs': '', 'cgroup.subtree_control': 'memory pids' });
    const notes = join(root, 'notes');
    mkdirSync(notes);
    const limits = { ...DEFAULT_MACHINE_LIMITS, processes: 7, memory_mb: 2 };
    const made = makeCgroups('murmur-1', limits, notes, cgroupParents({ root, own: '0::/a\n' }));
    const folder = join(root, 'murmur', 'murmur-1');
    expect(made).toEqual({ folders: [folder], controllers: ['memory', 'pids'] });
    const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
    expect([read('pids.max'), read('memory.max'), read('../cgroup.subtree_control')]).toEqual([
      '7',
      '2097152',
      '+memory +pids',
    ]);
    expect(JSON.parse(readFileSync(join(notes, 'cgroups'), 'utf8'))).toEqual([folder]);
  });
});
