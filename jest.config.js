export default {
  testEnvironment: 'node',
  globalSetup: '<rootDir>/scripts/test/assert-modules.js',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  // Two slow cores, with servers and agents beside the test: what takes a moment here may take ten times that.
  testTimeout: 30_000,
  verbose: true,
};
