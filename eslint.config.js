// Lint rules for the whole tree. What the layers may import comes from layers.ts; test/boundary looks for cycles, and knip
// for packages that are not declared: both in a hundredth of the time that lint rules take.
import n from 'eslint-plugin-n';
import tseslint from 'typescript-eslint';
import { ENTRIES, LAYERS } from './layers.ts';

const SOURCES = Object.keys(LAYERS).map((layer) => `${layer}/**/*.ts`);

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'coverage/', 'docs/reference/', '.cache/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Our interfaces hold plain functions, which may be taken out of their object.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'separate-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // An interface may demand a promise of an implementation that has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    // Tests read JSON of every kind, and a wrong assumption there fails the test.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    // Output goes through the terminal, a logger, or the log of the runner, which is its stderr.
    files: SOURCES,
    ignores: ['runner/**'],
    rules: { 'no-console': 'error' },
  },
  {
    files: SOURCES,
    ignores: ['config/**', ...ENTRIES],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only config/ and entry files read the environment.' },
      ],
    },
  },
  ...Object.entries(LAYERS).map(([layer, rule]) => layerRules(layer, rule)),
  {
    files: ['**/*.js'],
    plugins: { n },
    rules: {
      'n/no-missing-import': 'error',
      'n/no-unsupported-features/node-builtins': 'off',
      'no-unused-vars': 'error',
    },
  },
);

/** What a layer must not import, as patterns over the import's text. */
function layerRules(layer, { builtins, folders, packages }) {
  const inner = Object.keys(LAYERS).filter((other) => other.startsWith(`${layer}/`));
  const allowed = [layer, ...folders];
  const isAllowed = (other) => allowed.some((folder) => other === folder || other.startsWith(`${folder}/`));
  const forbidden = Object.keys(LAYERS).filter(
    (other) => !isAllowed(other) && !allowed.some((a) => a.startsWith(`${other}/`)),
  );
  const patterns = [
    ...forbidden.map((other) => ({
      regex: `^(?:\\.\\./)+${other}/`,
      message: `${layer} may not import ${other} (layers.ts).`,
    })),
    ...(builtins
      ? []
      : [{ regex: '^node:', message: `${layer} may not use Node's built-ins: it runs in the workflow sandbox.` }]),
    ...(packages === undefined ? [] : [packagePattern(layer, packages, builtins)]),
  ];
  return {
    files: [`${layer}/**/*.ts`],
    ignores: inner.map((folder) => `${folder}/**`),
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  };
}

function packagePattern(layer, packages, builtins) {
  const allowed = [...packages.map((name) => `${name}(?:/|$)`), '\\.', ...(builtins ? ['node:'] : [])];
  return {
    regex: `^(?!${allowed.join('|')})`,
    message: `${layer} may import only these packages: ${packages.join(', ') || 'none'}.`,
  };
}
