// The scripted model as a process: `node demo/model/main.ts [--port N] [--script FILE]`. Prints one JSON line with its
// address when it listens; ends on SIGTERM and SIGINT. FILE exports a `ModelScript` as default.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { ModelScript } from './scripted-model.ts';
import { startScriptedModel } from './scripted-model.ts';

const { values } = parseArgs({ options: { port: { type: 'string', default: '0' }, script: { type: 'string' } } });
const port = Number(values.port);
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error(`--port ${values.port}: not a port (0 to 65535)`);
  process.exit(2);
}
const loaded = values.script === undefined ? undefined : await loadScript(values.script);
const model = await startScriptedModel({ port, ...(loaded === undefined ? {} : { script: loaded }) });
console.log(JSON.stringify({ url: model.url, port: model.port, pid: process.pid }));
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => void model.stop().then(() => process.exit(0)));

async function loadScript(file: string): Promise<ModelScript> {
  const module = (await import(pathToFileURL(resolve(file)).href)) as { readonly default?: unknown };
  if (typeof module.default !== 'function') {
    console.error(`--script ${file}: no function as default export`);
    process.exit(2);
  }
  return module.default as ModelScript;
}
