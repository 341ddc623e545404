// The attacks of `npm run abuse`, except the long ones, in an isolation that is available on this machine.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ISOLATIONS, type IsolationName } from '../../abuse/testbed.ts';
import { ATTACKS } from '../../abuse/attacks/index.ts';
import { testbedProblem, openTestbed, type Testbed } from '../../abuse/testbed.ts';
import { tryAttack } from '../../abuse/try.ts';

const isolation = await firstPossible();
/** Limit of an attack, which runs several commands of an agent. */
const TIMEOUT_MS = 250_000;

let testbed: Testbed;
beforeAll(async () => {
  testbed = await openTestbed(isolation);
}, 240_000);
afterAll(async () => {
  await testbed[Symbol.asyncDispose]();
}, 120_000);

describe(`a hostile agent, with the isolation for ${isolation}`, () => {
  const attacks = ATTACKS.filter(({ isLong, skipped }) => isLong !== true && skipped?.[isolation] === undefined);

  it.each(attacks.map((attack) => [attack.name, attack] as const))(
    '%s: gets nothing but what docs/security.md admits',
    async (_, attack) => {
      const outcome = await tryAttack(attack, testbed);
      const admitted = attack.admitted?.[isolation] !== undefined;
      expect(outcome).toEqual(admitted ? expect.objectContaining({ kind: 'tried' }) : { kind: 'tried', got: [] });
    },
    TIMEOUT_MS,
  );
});

async function firstPossible(): Promise<IsolationName> {
  for (const name of ISOLATIONS) if ((await testbedProblem(name)) === undefined) return name;
  return 'tracking';
}
