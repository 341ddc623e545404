// Finds Claude Code and checks its version. Built-ins only.
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

/** The version with which Murmur's tests run. */
export const TESTED_CLAUDE_VERSION = '2.1.328';

/** How to install it, as a phrase for hints. */
export const INSTALL_CLAUDE = `install Claude Code: \`npm install -g @anthropic-ai/claude-code@${TESTED_CLAUDE_VERSION}\``;

/** Absolute path of the executable of this name on this PATH; undefined when there is none. */
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
 * A warning about a version, as reported by `claude --version` or by the program; undefined within the tested range.
 * Older versions lack features that the backend needs (cost deltas, names on results). Later minor versions may have
 * changed them.
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
