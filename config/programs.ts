// The host's programs that agents need, and their tested versions.
import { execFile } from 'node:child_process';
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Environment } from './environment.ts';
import { textOf } from './environment.ts';

/** Versions of Claude Code with which the end-to-end tests run: `from` inclusive, `below` exclusive. */
const CLAUDE_TESTED = { from: '2.1.328', below: '2.2.0' } as const;

/** Absolute path of the first executable file of that name on PATH. */
export function findProgram(env: Environment, name: string): string | undefined {
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    if (folder === '') continue;
    const path = resolve(folder, name);
    if (isExecutable(path)) return path;
  }
  return undefined;
}

/**
 * Absolute path of Claude Code with links resolved: `$MURMUR_CLAUDE`, or `claude` on PATH. Links are resolved because
 * an agent sees only certain folders, which may not include the link.
 */
export function findClaude(env: Environment): string | undefined {
  const chosen = textOf(env, 'MURMUR_CLAUDE');
  const path = chosen === undefined ? findProgram(env, 'claude') : resolve(chosen);
  return path !== undefined && isExecutable(path) ? realpathSync(path) : undefined;
}

/** A program's output for `--version`, trimmed; undefined when it does not start or answer. */
export async function versionOf(program: string): Promise<string | undefined> {
  try {
    // The first start of Claude Code takes about a second. A hanging wrapper must not block `doctor`.
    const { stdout } = await promisify(execFile)(program, ['--version'], { timeout: 20_000 });
    return stdout.trim();
  } catch {
    return undefined;
  }
}

/** A warning about the output of `claude --version`, with the tested range; undefined within the range. */
export function claudeVersionProblem(printed: string): string | undefined {
  const version = /\d+\.\d+\.\d+/.exec(printed)?.[0];
  const range = `${CLAUDE_TESTED.from} up to, not including, ${CLAUDE_TESTED.below}`;
  if (version === undefined) return `claude answers ${JSON.stringify(printed)} for --version; tested is ${range}`;
  return compareVersions(version, CLAUDE_TESTED.from) < 0 || compareVersions(version, CLAUDE_TESTED.below) >= 0
    ? `claude ${version} is outside the tested range, ${range}`
    : undefined;
}

/** Negative, zero or positive, as for `sort`. Both versions have the form `a.b.c`. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [left.split('.').map(Number), right.split('.').map(Number)];
  for (let index = 0; index < 3; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
