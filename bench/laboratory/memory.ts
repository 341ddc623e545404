// Resident memory of process trees, from `ps`. Imports run only.
import { run } from './run.ts';

interface Row {
  readonly pid: number;
  readonly parent: number;
  readonly kibibytes: number;
  readonly command: string;
}

/** Megabytes (10^6 bytes) of a process and its descendants, except matching ones and their descendants. */
export async function residentMegabytes(pid: number, without: (command: string) => boolean): Promise<number> {
  const rows = await processes();
  const root = rows.find((row) => row.pid === pid);
  if (root === undefined) throw new Error(`process ${pid.toString()} is gone`);
  const sum = (row: Row): number => {
    const children = rows.filter(({ parent, command }) => parent === row.pid && !without(command));
    return row.kibibytes + children.reduce((total, child) => total + sum(child), 0);
  };
  return (sum(root) * 1024) / 1e6;
}

async function processes(): Promise<readonly Row[]> {
  const output = await run('ps', ['-A', '-o', 'pid=,ppid=,rss=,args='], { cwd: '/', timeoutMs: 10_000 });
  return output
    .trim()
    .split('\n')
    .map((line) => {
      const [, pid = '0', parent = '0', kibibytes = '0', command = ''] =
        /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
      return { pid: Number(pid), parent: Number(parent), kibibytes: Number(kibibytes), command };
    });
}
