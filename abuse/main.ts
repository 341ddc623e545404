// Entry of `npm run abuse`: runs all attacks with a hostile agent, in each isolation, and prints the results.
import { parseArgs } from 'node:util';
import { ISOLATIONS, type IsolationName } from './testbed.ts';
import { ATTACKS } from './attacks/index.ts';
import { testbedProblem, openTestbed } from './testbed.ts';
import { isPromised, table, type Outcome } from './report.ts';
import { tryAttack } from './try.ts';

const USAGE = `usage: npm run abuse -- [--isolation NAME]… [--only ATTACK]… [--program FILE] [--json]

Runs a hostile agent on the real stack and prints how much it got, attack by attack.
  --isolation NAME  ${ISOLATIONS.join(', ')}; repeatable. Default: all that this machine has
  --only ATTACK     this attack alone; repeatable
  --program FILE    another \`murmur\`, such as that of an earlier build
  --json            for programs
Exit status: 0 when nothing was got but what docs/security.md admits, 1 otherwise, 2 for wrong arguments.`;

process.exitCode = await main();

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) return 2;
  const attacks = ATTACKS.filter(({ name }) => options.only?.includes(name) ?? true);
  const outcomes = new Map<string, Partial<Record<IsolationName, Outcome>>>(attacks.map(({ name }) => [name, {}]));
  const isolations: IsolationName[] = [];
  for (const isolation of options.isolations) {
    const problem = await testbedProblem(isolation);
    if (problem !== undefined) {
      say(`${isolation}: not run, because ${problem}`);
      continue;
    }
    say(`${isolation}: starting the stack`);
    isolations.push(isolation);
    const { program } = options;
    await using testbed = await openTestbed(isolation, program === undefined ? {} : { program });
    for (const attack of attacks) {
      say(`${isolation}: ${attack.name}`);
      (outcomes.get(attack.name) ?? {})[isolation] = await tryAttack(attack, testbed);
    }
  }
  const rows = attacks.map((attack) => ({ attack, outcomes: outcomes.get(attack.name) ?? {} }));
  process.stdout.write(`${options.json ? JSON.stringify(rows, undefined, 2) : table(rows, isolations)}\n`);
  const broken = rows.some((row) =>
    isolations.some((each) => !isPromised(row.attack, each, row.outcomes[each] ?? { kind: 'not tried', error: '' })),
  );
  return broken || isolations.length === 0 ? 1 : 0;
}

interface Options {
  readonly isolations: readonly IsolationName[];
  readonly only?: readonly string[];
  readonly program?: string;
  readonly json: boolean;
}

/** Undefined, with the reason on stderr, for invalid arguments. */
function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        isolation: { type: 'string', multiple: true },
        only: { type: 'string', multiple: true },
        program: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
    const { isolation, only, program, json } = values;
    const unknown = only?.find((name) => !ATTACKS.some((attack) => attack.name === name));
    if (unknown !== undefined) throw new Error(`unknown attack ${JSON.stringify(unknown)}`);
    const isolations = ISOLATIONS.filter((name) => isolation?.includes(name) ?? true);
    const wrong = isolation?.find((name) => !ISOLATIONS.some((each) => each === name));
    if (wrong !== undefined) throw new Error(`unknown isolation ${JSON.stringify(wrong)}`);
    return { isolations, json, ...(only === undefined ? {} : { only }), ...(program === undefined ? {} : { program }) };
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return undefined;
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
