// `each`: reads items from standard input.
import { MurmurError } from '../../contract/wire/errors.ts';
import { readDelimiter, readItems } from '../../contract/wire/fanout/items.ts';
import { ask } from '../operation.ts';
import type { CommandOverride } from '../override.ts';
import { reportFanout } from '../present/fanout.ts';
import type { Fanout } from '../present/fanout.ts';
import { spawnOverride } from './spawn.ts';

export const eachOverride: CommandOverride = {
  async prepare(input, invocation, settings) {
    const { context, parsed } = invocation;
    if ((input['secrets'] as readonly string[] | undefined)?.some((text) => text.endsWith('=-')) === true) {
      throw new MurmurError('INVALID_ARGUMENT', 'standard input holds the items, not a secret', {
        hint: 'take the secret from the environment: -e NAME',
      });
    }
    const delimiter = readDelimiter(parsed.flags.get('delimiter')?.[0] ?? '\n');
    const items = input['items'] ?? readItems(await context.readStdin(), 'on stdin', delimiter);
    const whole = await spawnOverride.prepare?.(input, invocation, settings);
    return { ...whole, items };
  },
  async run(call) {
    reportFanout((await ask(call)) as Fanout, call.context.terminal, call.json);
  },
};
