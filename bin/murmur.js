#!/usr/bin/env node
// Entry of the `murmur` program. Plain JavaScript that runs with Node 18 or newer. It finds a Node that is new enough and
// starts the CLI: a bundle in a published package, TypeScript sources in a checkout.
import module from 'node:module';

// Uses `require`: importing a built-in as an ES module loads all its lazy parts, which takes 5 ms for `fs` alone.
const require = module.createRequire(import.meta.url);
const { existsSync } = require('node:fs');
const { homedir } = require('node:os');
const { join } = require('node:path');
const { fileURLToPath } = require('node:url');

// A checkout runs its sources, even if it contains bundles of an earlier build.
const isPublished = !existsSync(fileURLToPath(new URL('../cli/main.ts', import.meta.url)));

/** Bundles need the Node version of their libraries; sources need one that reads TypeScript by default. */
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

/** `murmur mcp` without other flags, which clients start per session. It skips the CLI, whose start takes as long as Node's. */
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

/** A folder of the user, because all users of the machine share the system's default. */
function compileCache() {
  const base = process.platform === 'darwin' ? join(homedir(), 'Library', 'Caches') : join(homedir(), '.cache');
  return join(process.env['XDG_CACHE_HOME'] || base, 'murmur', 'compile-cache');
}

/** npm installs a Node as an optional dependency, one package per platform. */
function startWithNewerNode() {
  const path = newerNode();
  if (path === undefined) {
    const wanted = needed.join('.');
    process.stderr.write(`murmur: Node ${process.versions.node} is too old: murmur needs Node ${wanted} or newer\n`);
    process.stderr.write('hint: install a newer Node, or install murmur again without --omit=optional\n');
    process.exit(6);
  }
  const { spawn } = require('node:child_process'); // only here, because it takes 5 ms
  const child = spawn(path, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // The terminal sends Ctrl-C to both processes; signals to this process only are forwarded.
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
