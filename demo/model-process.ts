// The demo's scripted model as a separate process, so that `--keep` can leave it running with the stack.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startScriptedModel } from './model/scripted-model.ts';
import { demoScript } from './script.ts';
import { treeScript } from './tree-script.ts';

/** The model's script for each demo. */
const SCRIPTS = { agent: demoScript, tree: treeScript };

export type Scenario = keyof typeof SCRIPTS;

export interface ModelProcess {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts the model for the stack in `home`. It ends when it is stopped, or after that stack has ended. */
export async function startModelProcess(home: string, scenario: Scenario): Promise<ModelProcess> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), home, scenario], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  child.stdout.destroy();
  child.unref();
  return {
    url,
    stop: async () => {
      const gone = once(child, 'exit');
      child.ref();
      if (child.kill()) await gone;
    },
  };
}

/** Between two checks whether the stack runs, in milliseconds. */
const LOOK_AGAIN_MS = 5_000;
/** Limit for the stack to start: the first build of Temporal takes about five minutes on two cores. */
const WAIT_LIMIT_MS = 20 * 60_000;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const record = join(process.argv[2] ?? '', 'stack.json');
  const scenario = Object.keys(SCRIPTS).find((name): name is Scenario => name === process.argv[3]) ?? 'agent';
  const model = await startScriptedModel({ script: SCRIPTS[scenario] });
  process.stdout.write(`${model.url}\n`);
  process.stdout.on('error', () => undefined);
  const end = Date.now() + WAIT_LIMIT_MS;
  while (!existsSync(record) && Date.now() < end) await delay(LOOK_AGAIN_MS);
  while (existsSync(record)) await delay(LOOK_AGAIN_MS);
  await model.stop();
}
