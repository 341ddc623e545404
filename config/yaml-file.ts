// Reads and parses a YAML settings file, with the same errors for all files.
import { readFileSync } from 'node:fs';
import { MurmurError } from '../contract/wire/errors.ts';

/**
 * The keys and values of a file. Undefined for a missing file, or when this user may not read it and `mayBeForeign` is
 * set. Throws INVALID_ARGUMENT that names file and problem.
 */
export async function readYamlFile(
  file: string,
  hint: string,
  { mayBeForeign = false }: { readonly mayBeForeign?: boolean } = {},
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const text = readText(file, hint, mayBeForeign);
  if (text === undefined) return undefined;
  const content = await parseYaml(file, text, hint);
  if (content === null || content === undefined) return {};
  if (typeof content !== 'object' || Array.isArray(content)) {
    throw refusedFile(file, `it holds ${JSON.stringify(content)}, not keys and values`, hint);
  }
  return content as Readonly<Record<string, unknown>>;
}

/** INVALID_ARGUMENT about a file. */
export function refusedFile(
  file: string,
  problem: string,
  hint: string,
  details: Readonly<Record<string, unknown>> = {},
): MurmurError {
  return new MurmurError('INVALID_ARGUMENT', `${file}: ${problem}`, { hint, details: { file, ...details } });
}

function readText(file: string, hint: string, mayBeForeign: boolean): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    // A parent folder that this user may not enter belongs to another user's project.
    if (mayBeForeign && (code === 'EACCES' || code === 'EPERM')) return undefined;
    throw refusedFile(file, error instanceof Error ? error.message : String(error), hint);
  }
}

/** Loads `yaml` only when there is a file: the CLI reads settings on every start. */
async function parseYaml(file: string, text: string, hint: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    return parse(text, { prettyErrors: true });
  } catch (error) {
    throw refusedFile(file, error instanceof Error ? error.message.trim() : String(error), hint);
  }
}
