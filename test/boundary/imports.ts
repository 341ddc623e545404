// All imports of the tree, read by a TypeScript parser.
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { parseSync, Visitor, type Expression, type ImportDeclaration } from 'oxc-parser';

export const ROOT = join(import.meta.dirname, '..', '..');

export interface Import {
  /** Path of the importing file from the root. */
  readonly file: string;
  /** The specifier in the source. */
  readonly specifier: string;
  /** Path of the imported file from the root; undefined for packages and built-ins. */
  readonly target: string | undefined;
  /** A type import, which is removed at run time. */
  readonly isType: boolean;
  /** A dynamic import. */
  readonly isLazy: boolean;
}

/** The imports of all TypeScript files below a folder, including dynamic ones and re-exports. */
export function importsBelow(folder: string): Promise<readonly Import[]> {
  return importsOfAll(folder, '.ts');
}

/** The imports of all JavaScript files below a folder. */
export function scriptImportsBelow(folder: string): Promise<readonly Import[]> {
  return importsOfAll(folder, '.js');
}

async function importsOfAll(folder: string, extension: string): Promise<readonly Import[]> {
  const entries = await readdir(join(ROOT, folder), { recursive: true });
  const files = entries.filter((entry) => entry.endsWith(extension)).map((entry) => join(folder, entry));
  return files.flatMap(importsOf);
}

/** The imports of one file, by its path from the root. Throws if the file cannot be parsed. */
export function importsOf(file: string): readonly Import[] {
  const { errors, program } = parseSync(file, readFileSync(join(ROOT, file), 'utf8'));
  if (errors[0] !== undefined) throw new Error(`${file}: ${errors[0].message}`);
  const found: Import[] = [];
  const add = (specifier: string, isType: boolean, isLazy = false): void => {
    const target = specifier.startsWith('.') ? relative(ROOT, join(ROOT, dirname(file), specifier)) : undefined;
    found.push({ file, specifier, target, isType, isLazy });
  };
  new Visitor({
    ImportDeclaration: (node) => {
      add(node.source.value, isTypeImport(node));
    },
    ExportAllDeclaration: ({ exportKind, source }) => {
      add(source.value, exportKind === 'type');
    },
    ExportNamedDeclaration: ({ exportKind, source }) => {
      if (source !== null) add(source.value, exportKind === 'type');
    },
    ImportExpression: ({ source }) => {
      const specifier = textOf(source);
      if (specifier !== undefined) add(specifier, false, true);
    },
    TSImportType: ({ source }) => {
      add(source.value, true);
    },
  }).visit(program);
  return found;
}

function isTypeImport({ importKind, specifiers }: ImportDeclaration): boolean {
  if (importKind === 'type') return true;
  const isTypeOnly = (each: ImportDeclaration['specifiers'][number]): boolean =>
    each.type === 'ImportSpecifier' && each.importKind === 'type';
  return specifiers.length > 0 && specifiers.every(isTypeOnly);
}

/** The text of a literal; undefined for an expression. */
function textOf(source: Expression): string | undefined {
  if (source.type === 'Literal' && typeof source.value === 'string') return source.value;
  if (source.type !== 'TemplateLiteral' || source.expressions.length > 0) return undefined;
  return source.quasis[0]?.value.cooked ?? undefined;
}
