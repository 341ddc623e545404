// MURMUR_HOME/murmur.yaml: the owner's settings for agents on this host. A repository's file of that name cannot set
// them.
import { basename, isAbsolute, join, normalize } from 'node:path';
import { DEFAULT_MACHINE_LIMITS } from '../contract/wire/machine-limits.ts';
import type { MachineLimits } from '../contract/wire/machine-limits.ts';
import { HOST_KEYS, HOST_SETTINGS_FILE } from './host-keys.ts';
import type { HomePaths } from './home.ts';
import { environmentOf } from './environment-settings.ts';
import type { EnvironmentSettings } from './environment-settings.ts';
import { readYamlFile, refusedFile } from './yaml-file.ts';

/** Limits of one agent, as whole numbers. */
export interface AgentLimits extends MachineLimits {
  /** Total size of its uploads, in MiB. */
  readonly uploads_mb: number;
  /** Messages and control calls per second from one agent to another, with bursts of ten seconds' worth. */
  readonly messages_per_second: number;
  /** What one sender may have queued at an agent, in MiB. */
  readonly queued_mb: number;
}

export interface HostSettings {
  /** Where agents run. */
  readonly environment: EnvironmentSettings;
  readonly limits: AgentLimits;
  /** Absolute paths that agents without their own user see read-only. */
  readonly show: readonly string[];
}

/**
 * An agent uploads some screenshots and recordings, of at most fifty megabytes each. An agent in a team sends a few
 * messages a minute. A prompt has at most eight megabytes, so two of the largest can be queued.
 */
export const DEFAULT_AGENT_LIMITS: AgentLimits = {
  ...DEFAULT_MACHINE_LIMITS,
  uploads_mb: 1_000,
  messages_per_second: 10,
  queued_mb: 16,
};

/** More than any host has, and exact in every unit. */
const LARGEST = 999_999_999;

const HINT = `correct the file; it may hold ${HOST_KEYS.join(' and ')}`;

/**
 * The settings with defaults. Throws INVALID_ARGUMENT that names file, key and value.
 * @param userHome replaces `~` in paths
 */
export async function loadHostSettings(home: Pick<HomePaths, 'root'>, userHome: string): Promise<HostSettings> {
  const file = join(home.root, HOST_SETTINGS_FILE);
  const content = (await readYamlFile(file, HINT)) ?? {};
  for (const [key, value] of Object.entries(content)) {
    if (HOST_KEYS.some((known) => known === key)) continue;
    // In a user's home folder, the file is also the project file of everything below. project.ts validates these keys.
    if (basename(home.root) === '.murmur' && ['workspace', 'model'].includes(key)) continue;
    throw refusedFile(file, `key ${JSON.stringify(key)} (value ${JSON.stringify(value)}) is not known`, HINT, {
      key,
      value,
    });
  }
  return Object.freeze({
    environment: environmentOf(file, content['environment'], userHome),
    limits: limitsOf(file, content['limits']),
    show: showOf(file, content['show'], home.root, userHome),
  });
}

function limitsOf(file: string, value: unknown = {}): AgentLimits {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refusedFile(file, `limits is ${JSON.stringify(value)}: it needs keys and values`, HINT, {
      key: 'limits',
      value,
    });
  }
  const known = Object.keys(DEFAULT_AGENT_LIMITS);
  for (const [name, limit] of Object.entries(value)) {
    const key = `limits.${name}`;
    const hint = `correct the file; limits may hold ${known.join(', ')}`;
    if (!known.includes(name)) {
      throw refusedFile(file, `key ${JSON.stringify(key)} (value ${JSON.stringify(limit)}) is not known`, hint, {
        key,
        value: limit,
      });
    }
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > LARGEST) {
      const problem = `${key} is ${JSON.stringify(limit)}: it needs a whole number from 1 to ${String(LARGEST)}`;
      throw refusedFile(file, problem, hint, { key, value: limit });
    }
  }
  return Object.freeze({ ...DEFAULT_AGENT_LIMITS, ...value });
}

function showOf(file: string, value: unknown = [], home: string, userHome: string): readonly string[] {
  if (!Array.isArray(value)) {
    throw refusedFile(file, `show is ${JSON.stringify(value)}: it needs a list of paths`, HINT, { key: 'show', value });
  }
  const absolute = value.map((path: unknown) =>
    typeof path === 'string' ? path.replace(/^~(?=\/)/, () => userHome) : path,
  );
  for (const [index, path] of absolute.entries()) {
    const problem = pathProblem(path, value[index], home);
    if (problem !== undefined) throw refusedFile(file, problem, HINT, { key: 'show', value: value[index] });
  }
  return Object.freeze(absolute.map((path) => normalize(String(path)).replace(/(?<=.)\/$/, '')));
}

function pathProblem(path: unknown, written: unknown, home: string): string | undefined {
  const shown = JSON.stringify(written);
  if (typeof path !== 'string' || !isAbsolute(path) || path.includes('\0')) {
    return `show holds ${shown}: it needs absolute paths, or paths that start with ~/`;
  }
  const inside = normalize(`${path}/`).startsWith(`${home}/`);
  return inside ? `show holds ${shown}: MURMUR_HOME is never shown, because it contains tokens and secrets` : undefined;
}
