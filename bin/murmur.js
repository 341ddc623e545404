#!/usr/bin/env node
// Entry of the `murmur` program. Plain JavaScript that any Node since 18 reads: it finds a Node that is new enough for the
// rest, and starts the CLI, which is bundled in a published package and TypeScript in a checkout.
import module from 'node:module';

// Through `require`: importing a built-in as an ES module runs all its lazy parts, which costs 5 ms for `fs` alone.
const require = module.createRequire(import.meta.url);
const { existsSync } = require('node:fs');
const { homedir } = require('node:os');
const { join } = require('node:path');
const { fileURLToPath } = require('node:url');

// A checkout may hold bundles of an earlier build: there the sources count.
const isPublished = !existsSync(fileURLToPath(new URL('../cli/main.ts', import.meta.url)));

/** The bundles need what their libraries need; sources need a Node that reads TypeScript without being asked. */
const needed = isPublished ? [22, 0] : [22, 18];

if (isAtLeast(process.versions.node, needed)) {
  module.enableCompileCache?.(compileCache());
  if (isMcpServer(process.argv.slice(2))) await serveMcp();
  else await import(entry('cli'));
} else {
  startWithNewerNode();
}

function entry(name) {
  const file = isPublished ? `../dist/${name}.js` : `../${name}/main.ts`;
  return new URL(file, import.meta.url).href;
}

/** The plain form, which clients start for every session: it goes past the command line, which costs as much as Node. */
function isMcpServer([command, ...flags]) {
  return command === 'mcp' && flags.every((flag) => flag === '--debug');
}

async function serveMcp() {
  const { main } = await import(entry('mcp'));
  process.exitCode = await main({ debug: process.argv.includes('--debug') });
}

function isAtLeast(version, [major, minor]) {
  const [ownMajor, ownMinor] = version.split('.').map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

/** A folder of the user's own: the system's default is shared by all users of the machine. */
function compileCache() {
  const base = process.platform === 'darwin' ? join(homedir(), 'Library', 'Caches') : join(homedir(), '.cache');
  return join(process.env['XDG_CACHE_HOME'] || base, 'murmur', 'compile-cache');
}

/** npm brings a Node as an optional dependency, one package a platform. */
function startWithNewerNode() {
  const path = newerNode();
  if (path === undefined) {
    const wanted = needed.join('.');
    process.stderr.write(`murmur: Node ${process.versions.node} is too old: murmur needs Node ${wanted} or newer\n`);
    process.stderr.write('hint: install a newer Node, or install murmur again without --omit=optional\n');
    process.exit(6);
  }
  const { spawn } = require('node:child_process'); // here alone: it would cost every start 5 ms
  const child = spawn(path, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // The terminal sends Ctrl-C to both; what is sent to this process alone is passed on.
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  process.on('SIGINT', () => undefined);
  child.once('error', (error) => {
    process.stderr.write(`murmur: ${path} cannot be started: ${error.message}\n`);
    process.exit(6);
  });
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function newerNode() {
  try {
    return require.resolve(`node-${process.platform}-${process.arch}/bin/node`);
  } catch {
    return undefined;
  }
}
