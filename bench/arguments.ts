// Parses the benchmark's command line. Imports Node built-ins only.
import { parseArgs } from 'node:util';

export interface BenchArguments {
  readonly json: boolean;
  /** Takes few samples, for a first impression. */
  readonly quick: boolean;
  /** Measures to take; all if absent. */
  readonly only?: readonly string[];
  /** Takes only the floors, without the product. */
  readonly floors: boolean;
  /** Folder of another checkout, whose product is measured alternately with this one's, instead of the floors. */
  readonly against?: string;
  /** Pairs of samples per measure, instead of the measure's own number. */
  readonly samples?: number;
  readonly help: boolean;
}

export const USAGE = `usage: npm run bench -- [--only NAME]… [--quick] [--samples N] [--floors | --against FOLDER] [--json]

Measures Murmur against the bare programs it is made of, both in this run.
  --only NAME       this measure alone, or all that begin with NAME-; repeatable
  --quick           few samples
  --samples N       N pairs of samples of each measure
  --floors          the bare programs alone
  --against FOLDER  another checkout of Murmur, with its own node_modules, instead of the bare programs
  --json            for programs
Exit status: 0 also when a target is missed, 1 when a measure could not be taken, 2 for wrong arguments.`;

/** Throws an Error for invalid arguments. */
export function readArguments(args: readonly string[], names: readonly string[]): BenchArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true },
      floors: { type: 'boolean', default: false },
      against: { type: 'string' },
      samples: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { only, against, samples, ...rest } = values;
  const unknown = only?.find((name) => !names.some((each) => isAsked(each, [name])));
  if (unknown !== undefined) throw new Error(`no measure ${JSON.stringify(unknown)}: there are ${names.join(', ')}`);
  if (against !== undefined && rest.floors) throw new Error('--floors and --against exclude each other');
  return {
    ...rest,
    ...(only === undefined ? {} : { only }),
    ...(against === undefined ? {} : { against }),
    ...(samples === undefined ? {} : { samples: countOf(samples) }),
  };
}

/** Whether a measure is among those that were named, by its name or by the first words of it; all are when none was. */
export function isAsked(measure: string, only: readonly string[] | undefined): boolean {
  return only?.some((name) => measure === name || measure.startsWith(`${name}-`)) ?? true;
}

function countOf(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new Error(`--samples is ${JSON.stringify(text)}: it needs a number from 1 to 9999`);
}
