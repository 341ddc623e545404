// `spawn`: reads repositories, secrets and the default model on the caller's side.
import { MurmurError } from '../../contract/wire/errors.ts';
import type { Settings } from '../../config/settings.ts';
import type { Invocation } from '../command.ts';
import type { Input } from '../derive/input.ts';
import { ask } from '../operation.ts';
import type { CommandOverride } from '../override.ts';
import { currentRepository, type RepoInput } from './current-repository.ts';
import { readSecrets } from './secrets.ts';

export const spawnOverride: CommandOverride = {
  async prepare(asked, invocation, settings) {
    const { context } = invocation;
    requireTask(asked);
    const given = withInputsText(asked);
    const input = given['flight'] === undefined ? given : await flightInput(given, invocation, settings);
    const { repos, secrets, ...rest } = input;
    const named = (repos as readonly string[] | undefined)?.map(repoOf);
    const note = (text: string): void => {
      context.terminal.complain(`murmur: ${text}`, 'yellow');
    };
    return {
      ...rest,
      ...(rest['model'] === undefined && settings.model !== undefined ? { model: settings.model } : {}),
      repos: named ?? (await currentRepository(context, note)),
      ...(secrets === undefined ? {} : { secrets: await readSecrets(secrets as readonly string[], context, note) }),
    };
  },
  async run(call) {
    const { client, context, input, json } = call;
    const { signal, terminal } = context;
    if (input['each'] !== undefined) {
      const { spawnEach } = await import('../../client/each.ts');
      const { reportFanout } = await import('../present/fanout.ts');
      // The server checks the input.
      reportFanout(await spawnEach(client, input, { signal }), terminal, json);
      return;
    }
    const result = await ask(call);
    if (json) terminal.json(result);
    else (await import('../present/results.ts')).present('spawn', result, terminal, input);
  },
};

/** Requires slug and prompt, unless a flight provides them. */
function requireTask({ flight, slug, description }: Input): void {
  if (flight !== undefined) return;
  const missing = slug === undefined ? 'slug' : description === undefined ? 'prompt' : undefined;
  if (missing === undefined) return;
  throw new MurmurError('INVALID_ARGUMENT', `${missing} required`, { hint: 'see `murmur spawn --help`' });
}

/** Takes the flight's inputs as JSON text, which the server parses. */
function withInputsText({ flight_inputs: inputs, ...input }: Input): Input {
  return Array.isArray(inputs) ? { ...input, flight_inputs: String(inputs[0]) } : input;
}

/** Adds the text of the flight. Flags override the flight's settings, which override the configuration. */
async function flightInput(input: Input, { context, parsed }: Invocation, settings: Settings): Promise<Input> {
  const { withFlight } = await import('../../client/flight.ts');
  const { workspace, ...typed } = input;
  const { model } = settings;
  const named = parsed.flags.has('workspace') ? { workspace } : {};
  const configured = { workspace, ...(model === undefined ? {} : { model }) };
  return await withFlight({ ...typed, ...named }, configured, context.cwd);
}

/** `URL`, `URL=base` or `URL=base:working`. */
export function repoOf(text: string): RepoInput {
  const [, url = text, branches = ''] = /^(.+)=([^=]*)$/.exec(text) ?? [];
  const [base = '', working] = branches.split(':');
  if (working === '' || (text !== url && base === '')) {
    throw new MurmurError('INVALID_ARGUMENT', `repository ${JSON.stringify(text)} names no branch after = or :`, {
      hint: 'write URL, URL=base or URL=base:working',
    });
  }
  return {
    clone_url: url,
    ...(base === '' ? {} : { base_branch: base }),
    ...(working === undefined ? {} : { branch: working }),
  };
}
