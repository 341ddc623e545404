// Run by jest before the tests. Without the flag @swc/jest compiles to CommonJS without a word, and tests then fail on the
// first ES module among the dependencies, far from the cause.

export default function assertModules() {
  const flags = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  if (flags.includes('--experimental-vm-modules')) return;
  throw new Error('run jest as `npm run test:unit`, or with node --experimental-vm-modules');
}
