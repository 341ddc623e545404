// The project's files: .murmur/murmur.yaml (shared) and .murmur/murmur.local.yaml (one developer's). Checked by hand,
// and `yaml` is loaded only when there is a file: the CLI reads them on every start, and zod alone costs more than Node.
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { workspaceProblem } from '../contract/wire/identity.ts';
import { MurmurError } from '../contract/wire/errors.ts';

/** What a project file may say. */
export interface ProjectSettings {
  readonly workspace?: string;
  readonly model?: string;
}

const KEYS = ['workspace', 'model'] as const satisfies readonly (keyof ProjectSettings)[];

/** The settings of the nearest project, the local file's before the shared one's. */
export async function loadProject(cwd: string): Promise<ProjectSettings> {
  for (const folder of foldersUpFrom(cwd)) {
    const shared = await readProjectFile(join(folder, '.murmur', 'murmur.yaml'));
    const local = await readProjectFile(join(folder, '.murmur', 'murmur.local.yaml'));
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

/** Undefined when there is no such file; throws INVALID_ARGUMENT that names file, key and value. */
async function readProjectFile(file: string): Promise<ProjectSettings | undefined> {
  const text = readText(file);
  if (text === undefined) return undefined;
  const content = await parseYaml(file, text);
  if (content === null || content === undefined) return {};
  if (typeof content !== 'object' || Array.isArray(content)) {
    throw refused(file, `it holds ${JSON.stringify(content)}, not keys and values`);
  }
  for (const [key, value] of Object.entries(content)) {
    const problem = settingProblem(key, value);
    if (problem !== undefined) throw refused(file, problem, { key, value });
  }
  return content;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    // A parent folder that this user may not enter is somebody else's project.
    if (code === 'EACCES' || code === 'EPERM') return undefined;
    throw refused(file, error instanceof Error ? error.message : String(error));
  }
}

async function parseYaml(file: string, text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    return parse(text, { prettyErrors: true });
  } catch (error) {
    throw refused(file, error instanceof Error ? error.message.trim() : String(error));
  }
}

function settingProblem(key: string, value: unknown): string | undefined {
  const shown = JSON.stringify(value);
  if (!KEYS.some((known) => known === key)) return `key ${JSON.stringify(key)} (value ${shown}) is not known`;
  if (typeof value !== 'string' || value === '') return `${key} is ${shown}: it needs a text`;
  return key === 'workspace' ? workspaceProblem(value) : undefined;
}

function refused(file: string, problem: string, details: Record<string, unknown> = {}): MurmurError {
  return new MurmurError('INVALID_ARGUMENT', `${file}: ${problem}`, {
    hint: `correct the file; it may hold ${KEYS.join(' and ')}`,
    details: { file, ...details },
  });
}
