// `each`: items from standard input.
import { MurmurError } from '../../contract/wire/errors.ts';
import { readDelimiter, readItems } from '../../contract/wire/fanout/items.ts';
import { ask } from '../operation.ts';
import type { OwnHalf } from '../override.ts';
import { reportFanout } from '../present/fanout.ts';
import type { Fanout } from '../present/fanout.ts';
import { spawnHalf } from './spawn.ts';

export const eachHalf: OwnHalf = {
  async prepare(input, invocation, settings) {
    const { context, parsed } = invocation;
    if ((input['secrets'] as readonly string[] | undefined)?.some((text) => text.endsWith('=-')) === true) {
      throw new MurmurError('INVALID_ARGUMENT', 'standard input holds the items, not a secret', {
        hint: 'take the secret from the environment: -e NAME',
      });
    }
    const delimiter = readDelimiter(parsed.flags.get('delimiter')?.[0] ?? '\n');
    const items = input['items'] ?? readItems(await context.readStdin(), 'on stdin', delimiter);
    const whole = await spawnHalf.prepare?.(input, invocation, settings);
    return { ...whole, items };
  },
  async run(call) {
    reportFanout((await ask(call)) as Fanout, call.context.terminal, call.json);
  },
};
