// Entry of the supervisor process: `node main.ts <settings as JSON>`. Its output is its log.
import { MurmurError } from '../../contract/wire/errors.ts';
import type { StackSettings } from './settings.ts';
import { supervise } from './supervise.ts';

const settings = JSON.parse(process.argv[2] ?? '') as StackSettings;
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stop.abort();
  });
}

function log(message: string): void {
  process.stdout.write(`${new Date().toISOString()} ${message}\n`);
}

try {
  await supervise(settings, { env: process.env, stop: stop.signal, onProgress: log });
} catch (error) {
  log(error instanceof MurmurError ? `${error.code} ${error.message}` : String(error));
  // The process that started this one follows stack.json, where another running supervisor is not a failure.
  process.exitCode = 1;
}
