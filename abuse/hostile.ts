// The hostile agent: the real agent program, with a scripted model that runs the attack.
import { createClient, type MurmurClient } from '../client/index.ts';
import type { ScriptedModel } from '../demo/model/scripted-model.ts';
import type { Owner } from './owner.ts';

/** Limit of an attack's shell command, in milliseconds. */
const COMMAND_MS = 60_000;
/** Limit from the spawn to the first idle phase, on a busy machine, in milliseconds. */
const READY_MS = 90_000;
/** Prints the agent's own token; builds before the agent's file had it in the environment. */
const SAY_TOKEN = `cat "$MURMUR_AGENT_FILE" 2>/dev/null || printf '"token":"%s"' "$MURMUR_TOKEN"`;
let commands = 0;

export interface HostileAgent {
  readonly slug: string;
  /** Name of its machine. */
  readonly machine: string;
  /** The agent's own token, which any process of the agent can read. */
  readonly token: string;
  /** The API with that token. */
  readonly client: MurmurClient;
  /** Runs a command with the agent's shell tool; resolves with the output that the model gets. */
  shell(command: string): Promise<string>;
}

/** The stack in which it is spawned. */
export interface HostileHost {
  readonly owner: Owner;
  /** URL of the API server. */
  readonly api: string;
  /** The API with the owner's token. */
  readonly client: MurmurClient;
  readonly model: ScriptedModel;
}

/** Spawns the agent as the owner, with the owner's origin or another repository. */
export async function spawnHostile(
  host: HostileHost,
  slug: string,
  repository = host.owner.origin,
): Promise<HostileAgent> {
  const { client, model, api } = host;
  const first = tag();
  const repos = [{ clone_url: repository }];
  await client.call('spawn', { slug, description: prompt(first, SAY_TOKEN), repos });
  const ready = await client.wait({ slug }, { signal: AbortSignal.timeout(READY_MS) });
  if (ready.phase === 'failed') throw new Error(`the agent ${slug} failed: ${ready.reason ?? ''}`);
  const shown = await shownTo(model, first);
  const token = /"token":"([^"]+)"/.exec(shown)?.[1];
  if (token === undefined) throw new Error(`the agent has no token: ${shown}`);
  const machine = ready.vm?.name;
  if (machine === undefined) throw new Error(`the agent ${slug} has no machine`);
  return {
    ...{ slug, machine, token },
    client: createClient({ url: api, token }),
    shell: async (command) => {
      const name = tag();
      await client.call('queue_add', { slug, description: prompt(name, command) });
      return await shownTo(model, name);
    },
  };
}

function tag(): string {
  commands += 1;
  return `attack-${String(commands)}.`;
}

function prompt(name: string, command: string): string {
  const input = { command, description: 'a step', timeout: COMMAND_MS };
  return scripted(name, [{ tool: 'Bash', input }, { text: 'done' }]);
}

/** A prompt with the steps of the scripted model, in the form of the fake model's. */
export function scripted(words: string, steps: readonly object[]): string {
  return `${words} [[ ${steps.map((step) => JSON.stringify(step)).join(', ')} ]]`;
}

/** A prompt that keeps the agent busy for this time. */
export function busyFor(seconds: number): string {
  const input = { command: `sleep ${String(seconds)}`, description: 'a step' };
  return scripted('busy', [{ tool: 'Bash', input }, { text: 'done' }]);
}

async function shownTo(model: ScriptedModel, name: string): Promise<string> {
  const request = await model.waitForRequest((each) => each.prompt.includes(name) && each.step === 1, {
    timeoutMs: COMMAND_MS + 60_000,
  });
  return request.toolResults.map(({ text }) => text).join('\n');
}
