// Node loads the tests, like the sources. The type checker reports type errors.
export default {
  testEnvironment: '<rootDir>/scripts/test/runtime/environment.ts',
  runtime: '<rootDir>/scripts/test/runtime/runtime.ts',
  transform: {},
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  // For two slow cores with servers and agents beside the test, where everything can take ten times as long.
  testTimeout: 30_000,
  verbose: true,
};
