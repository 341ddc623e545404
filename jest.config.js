// Tests are loaded by Node itself, as the sources are. Type errors are the type checker's.
export default {
  testEnvironment: '<rootDir>/scripts/test/runtime/environment.ts',
  runtime: '<rootDir>/scripts/test/runtime/runtime.ts',
  transform: {},
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  // Two slow cores, with servers and agents beside the test: what takes a moment here may take ten times that.
  testTimeout: 30_000,
  verbose: true,
};
