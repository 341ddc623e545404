// Which Claude Code: where it is and whether its version is one that we know. Built-ins only.
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

/** The version that Murmur's tests run with. */
export const TESTED_CLAUDE_VERSION = '2.1.328';

/** How to get it, as a phrase. */
export const INSTALL_CLAUDE = `install Claude Code: \`npm install -g @anthropic-ai/claude-code@${TESTED_CLAUDE_VERSION}\``;

/** The executable file that a name means on this PATH, absolute; undefined when there is none. */
export async function findProgram(name: string, path: string | undefined): Promise<string | undefined> {
  const candidates = isAbsolute(name)
    ? [name]
    : (path ?? '').split(delimiter).flatMap((folder) => (isAbsolute(folder) ? [join(folder, name)] : []));
  for (const candidate of candidates) {
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

/**
 * What to know about a version as `claude --version` or the program itself tells it; undefined when it is in the tested
 * range. Older ones lack what the driver relies on (cost deltas, names on results); a later minor version may have
 * changed them: a warning, not an error.
 */
export function claudeVersionProblem(version: string): string | undefined {
  const [major, minor, patch] = numbers(version);
  const [testedMajor, testedMinor, testedPatch] = numbers(TESTED_CLAUDE_VERSION);
  const range = `tested: ${TESTED_CLAUDE_VERSION} and later ${testedMajor}.${testedMinor} versions`;
  if (major === undefined || minor === undefined || patch === undefined) {
    return `cannot tell the version of Claude Code from "${version.trim().slice(0, 80)}" (${range})`;
  }
  const isTested = major === testedMajor && minor === testedMinor && patch >= (testedPatch ?? 0);
  return isTested ? undefined : `Claude Code ${major}.${minor}.${patch} is outside the tested range (${range})`;
}

function numbers(version: string): readonly number[] {
  return (/(\d+)\.(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
