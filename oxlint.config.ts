// Lint rules for the whole tree. The allowed imports come from layers.ts. test/boundary uses it too and checks for
// cycles; knip checks for undeclared packages and unresolved imports.
import { defineConfig, type OxlintOverride } from 'oxlint';
import { ENTRIES, LAYERS, type Layer } from './layers.ts';

const SOURCES = Object.keys(LAYERS).map((layer) => `${layer}/**/*.ts`);

export default defineConfig({
  plugins: ['typescript'],
  // Only the rules named here apply, so that a new version of the linter adds no rules.
  categories: { correctness: 'off' },
  options: { typeAware: true, reportUnusedDisableDirectives: 'error', respectEslintDisableDirectives: false },
  ignorePatterns: ['dist/', 'coverage/', 'docs/reference/', '.cache/'],
  overrides: [
    {
      files: ['**/*.ts'],
      rules: {
        eqeqeq: ['error', 'always', { null: 'ignore' }],
        'no-array-constructor': 'error',
        'no-unused-expressions': 'error',
        'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
        'no-var': 'error',
        'prefer-const': 'error',
        'prefer-rest-params': 'error',
        'prefer-spread': 'error',
        'typescript/await-thenable': 'error',
        'typescript/ban-ts-comment': 'error',
        'typescript/consistent-type-imports': [
          'error',
          { fixStyle: 'separate-type-imports', disallowTypeAnnotations: false },
        ],
        'typescript/no-array-delete': 'error',
        'typescript/no-base-to-string': 'error',
        'typescript/no-duplicate-enum-values': 'error',
        'typescript/no-duplicate-type-constituents': 'error',
        'typescript/no-empty-object-type': 'error',
        'typescript/no-explicit-any': 'error',
        'typescript/no-extra-non-null-assertion': 'error',
        'typescript/no-floating-promises': 'error',
        'typescript/no-for-in-array': 'error',
        'typescript/no-implied-eval': 'error',
        'typescript/no-misused-new': 'error',
        'typescript/no-misused-promises': 'error',
        'typescript/no-namespace': 'error',
        'typescript/no-non-null-asserted-optional-chain': 'error',
        'typescript/no-redundant-type-constituents': 'error',
        'typescript/no-require-imports': 'error',
        'typescript/no-this-alias': 'error',
        'typescript/no-unnecessary-type-assertion': 'error',
        'typescript/no-unnecessary-type-constraint': 'error',
        'typescript/no-unsafe-argument': 'error',
        'typescript/no-unsafe-assignment': 'error',
        'typescript/no-unsafe-call': 'error',
        'typescript/no-unsafe-declaration-merging': 'error',
        'typescript/no-unsafe-enum-comparison': 'error',
        'typescript/no-unsafe-function-type': 'error',
        'typescript/no-unsafe-member-access': 'error',
        'typescript/no-unsafe-return': 'error',
        'typescript/no-unsafe-unary-minus': 'error',
        'typescript/no-wrapper-object-types': 'error',
        'typescript/only-throw-error': 'error',
        'typescript/prefer-as-const': 'error',
        'typescript/prefer-namespace-keyword': 'error',
        'typescript/prefer-promise-reject-errors': 'error',
        'typescript/restrict-plus-operands': 'error',
        'typescript/restrict-template-expressions': 'error',
        'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
        'typescript/triple-slash-reference': 'error',
      },
    },
    {
      // Tests read all kinds of JSON; a wrong assumption there fails the test.
      files: ['test/**/*.ts'],
      rules: {
        'typescript/no-unsafe-argument': 'off',
        'typescript/no-unsafe-assignment': 'off',
        'typescript/no-unsafe-member-access': 'off',
        'typescript/no-unsafe-return': 'off',
      },
    },
    {
      // Output goes through the terminal, a logger, or the runner's log, which is its stderr.
      files: SOURCES,
      excludeFiles: ['runner/**'],
      rules: { 'no-console': 'error' },
    },
    {
      files: SOURCES,
      excludeFiles: ['config/**', ...ENTRIES],
      rules: {
        'no-restricted-properties': [
          'error',
          { object: 'process', property: 'env', message: 'Only config/ and entry files read the environment.' },
        ],
      },
    },
    ...Object.entries(LAYERS).map(([layer, rule]) => layerRules(layer, rule)),
    { files: ['**/*.js'], rules: { 'no-unused-vars': 'error' } },
  ],
});

interface Restriction {
  readonly regex?: string;
  readonly group?: string[];
  readonly message: string;
}

/** The imports that a layer must not have, as patterns of the specifier. */
function layerRules(layer: string, { builtins, folders, packages }: Layer): OxlintOverride {
  const inner = Object.keys(LAYERS).filter((other) => other.startsWith(`${layer}/`));
  const allowed = [layer, ...folders];
  const isAllowed = (other: string): boolean =>
    allowed.some((folder) => other === folder || other.startsWith(`${folder}/`));
  const forbidden = Object.keys(LAYERS).filter(
    (other) => !isAllowed(other) && !allowed.some((each) => each.startsWith(`${other}/`)),
  );
  const patterns: Restriction[] = forbidden.map((other) => ({
    regex: `^(?:\\.\\./)+${other}/`,
    message: `${layer} may not import ${other} (layers.ts).`,
  }));
  if (!builtins) {
    const message = `${layer} may not use Node's built-ins: it runs in the workflow sandbox.`;
    patterns.push({ regex: '^node:', message });
  }
  if (packages !== undefined) patterns.push(packagePattern(layer, packages, builtins));
  return {
    files: [`${layer}/**/*.ts`],
    excludeFiles: inner.map((folder) => `${folder}/**`),
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  };
}

/** Matches everything except our files and these packages; later patterns exclude from earlier ones. */
function packagePattern(layer: string, packages: readonly string[], builtins: boolean): Restriction {
  const allowed = ['.', '..', ...(builtins ? ['node:*'] : []), ...packages];
  return {
    group: ['*', ...allowed.flatMap((name) => [`!${name}`, `!${name}/**`])],
    message: `${layer} may import only these packages: ${packages.join(', ') || 'none'}.`,
  };
}
