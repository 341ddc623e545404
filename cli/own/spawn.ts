// What `spawn` reads on the caller's side: repositories, secrets and the default model.
import { MurmurError } from '../../contract/wire/errors.ts';
import { ask, type OwnHalf } from '../operation.ts';
import { currentRepository, type RepoInput } from './current-repository.ts';
import { readSecrets } from './secrets.ts';

export const spawnHalf: OwnHalf = {
  async prepare(input, { context }, settings) {
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
      // The input is checked by the server; here it only has its shape.
      reportFanout(await spawnEach(client, input as never, { signal }), terminal, json);
      return;
    }
    const result = await ask(call);
    if (json) terminal.json(result);
    else (await import('../present/results.ts')).present('spawn', result, terminal, input);
  },
};

/** `URL`, `URL=base` or `URL=base:working`. */
export function repoOf(text: string): RepoInput {
  const [, url = text, branches = ''] = /^(.+)=([^=]*)$/.exec(text) ?? [];
  const [base = '', working] = branches.split(':');
  if (working === '' || (text !== url && base === '')) {
    throw new MurmurError('INVALID_ARGUMENT', `repository ${JSON.stringify(text)} names no branch after its sign`, {
      hint: 'write URL, URL=base or URL=base:working',
    });
  }
  return {
    clone_url: url,
    ...(base === '' ? {} : { base_branch: base }),
    ...(working === undefined ? {} : { branch: working }),
  };
}
