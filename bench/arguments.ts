// The bench's command line. Imports Node built-ins only.
import { parseArgs } from 'node:util';

export interface BenchArguments {
  readonly json: boolean;
  /** Few samples: a look, not a figure. */
  readonly quick: boolean;
  /** Measures to take; all when absent. */
  readonly only?: readonly string[];
  /** The floors alone, without the product. */
  readonly floors: boolean;
  readonly help: boolean;
}

export const USAGE = `usage: npm run bench -- [--only NAME]… [--quick] [--floors] [--json]

Measures Murmur against the bare programs it is made of, both in this run.
  --only NAME  this measure alone; repeatable
  --quick      few samples
  --floors     the bare programs alone
  --json       for programs
Exit status: 0 also when a target is missed, 1 when a measure could not be taken, 2 for wrong arguments.`;

/** Throws an Error that says what is wrong with the arguments. */
export function readArguments(args: readonly string[], names: readonly string[]): BenchArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true },
      floors: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { only, ...rest } = values;
  const unknown = only?.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`no measure ${JSON.stringify(unknown)}: there are ${names.join(', ')}`);
  return { ...rest, ...(only === undefined ? {} : { only }) };
}
