// The project's files: .murmur/murmur.yaml (shared) and .murmur/murmur.local.yaml (one developer's). Validated without
// zod: the CLI reads them on every start, and loading zod takes longer than starting Node.
import { realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { workspaceProblem } from '../contract/wire/identity.ts';
import { HOST_KEYS, HOST_SETTINGS_FILE } from './host-keys.ts';
import { readYamlFile, refusedFile } from './yaml-file.ts';

/** The settings of a project file. */
export interface ProjectSettings {
  readonly workspace?: string;
  readonly model?: string;
}

const KEYS = ['workspace', 'model'] as const satisfies readonly (keyof ProjectSettings)[];
const HINT = `correct the file; it may hold ${KEYS.join(' and ')}`;

/**
 * The settings of the nearest project. The local file overrides the shared one.
 * @param home MURMUR_HOME; if the search finds its murmur.yaml, that file may also have the host's settings
 */
export async function loadProject(cwd: string, home?: string): Promise<ProjectSettings> {
  for (const folder of foldersUpFrom(cwd)) {
    const murmur = join(folder, '.murmur');
    const shared = await readProjectFile(join(murmur, HOST_SETTINGS_FILE), home !== undefined && isSame(murmur, home));
    const local = await readProjectFile(join(murmur, 'murmur.local.yaml'), false);
    if (shared !== undefined || local !== undefined) return { ...shared, ...local };
  }
  return {};
}

function* foldersUpFrom(start: string): Generator<string> {
  let folder = resolve(start);
  for (;;) {
    yield folder;
    const parent = dirname(folder);
    if (parent === folder) return;
    folder = parent;
  }
}

function isSame(folder: string, home: string): boolean {
  if (folder === home) return true;
  try {
    return realpathSync(folder) === home;
  } catch {
    return false;
  }
}

/** Undefined for a missing file. Throws INVALID_ARGUMENT that names file, key and value. */
async function readProjectFile(file: string, isHosts: boolean): Promise<ProjectSettings | undefined> {
  const content = await readYamlFile(file, HINT, { mayBeForeign: true });
  if (content === undefined) return undefined;
  const settings = Object.entries(content).filter(([key]) => !isHosts || !HOST_KEYS.some((known) => known === key));
  for (const [key, value] of settings) {
    const problem = settingProblem(key, value);
    if (problem !== undefined) throw refusedFile(file, problem, hintFor(key), { key, value });
  }
  return Object.fromEntries(settings);
}

function settingProblem(key: string, value: unknown): string | undefined {
  const shown = JSON.stringify(value);
  if (HOST_KEYS.some((known) => known === key)) {
    return `${key} is ${shown}: limits of the host cannot be set by a repository`;
  }
  if (!KEYS.some((known) => known === key)) return `key ${JSON.stringify(key)} (value ${shown}) is not known`;
  if (typeof value !== 'string' || value === '') return `${key} is ${shown}: it needs a non-empty string`;
  return key === 'workspace' ? workspaceProblem(value) : undefined;
}

function hintFor(key: string): string {
  return HOST_KEYS.some((known) => known === key)
    ? `remove ${key} here; the owner of the host sets it in ${HOST_SETTINGS_FILE} of MURMUR_HOME`
    : HINT;
}
