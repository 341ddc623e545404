// Every import of the tree, read by TypeScript's own parser.
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

export const ROOT = join(import.meta.dirname, '..', '..');

export interface Import {
  /** Path of the importing file from the root. */
  readonly file: string;
  /** As it is written. */
  readonly specifier: string;
  /** Path of the imported file from the root; undefined for packages and built-ins. */
  readonly target: string | undefined;
  /** Gone when the program runs. */
  readonly isType: boolean;
  /** Run only when the code gets there. */
  readonly isLazy: boolean;
}

/** The imports of every TypeScript file below a folder, dynamic ones and re-exports included. */
export async function importsBelow(folder: string): Promise<readonly Import[]> {
  const entries = await readdir(join(ROOT, folder), { recursive: true });
  const files = entries.filter((entry) => entry.endsWith('.ts')).map((entry) => join(folder, entry));
  return files.flatMap(importsOf);
}

/** The imports of one file, by its path from the root. */
export function importsOf(file: string): readonly Import[] {
  const source = ts.createSourceFile(file, readFileSync(join(ROOT, file), 'utf8'), ts.ScriptTarget.Latest);
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, isType: boolean, isLazy = false): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    const { text } = specifier;
    const target = text.startsWith('.') ? relative(ROOT, join(ROOT, dirname(file), text)) : undefined;
    found.push({ file, specifier: text, target, isType, isLazy });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeImport(node));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false, true);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isTypeImport({ importClause }: ts.ImportDeclaration): boolean {
  if (importClause === undefined) return false;
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const bindings = importClause.namedBindings;
  if (importClause.name !== undefined || bindings === undefined || !ts.isNamedImports(bindings)) return false;
  return bindings.elements.length > 0 && bindings.elements.every((element) => element.isTypeOnly);
}
