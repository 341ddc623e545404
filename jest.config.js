// Without the flag @swc/jest compiles to CommonJS without a word, and the first ES module among the dependencies fails.
if (![...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ').includes('--experimental-vm-modules')) {
  throw new Error('run jest as `npm run test:unit`, or with node --experimental-vm-modules');
}

export default {
  testEnvironment: 'node',
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
