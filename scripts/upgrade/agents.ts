// The agents of the earlier build: at rest, parked, with children and a budget, in a turn, in a flight and in a
// fan-out.
import { bash, heldCommand, scripted } from '../../test/e2e/fixtures/agent.ts';
import { eventually } from '../../test/e2e/fixtures/stack.ts';
import type { EarlierStack } from './earlier-stack.ts';

/** Runs the real agent program and is in a turn; its command waits until it is released. */
export const WORKER = { slug: 'worker', job: 'job', text: 'The job is done.' } as const;

/** On the fake backend. `lead` has a budget that it shares with its children; one of them is in a turn. */
export const AT_REST = ['rested', 'lead', 'lead/kid'] as const;

/** In a turn until they are interrupted. */
export const HANGING = ['lead/busy', 'audit-a'] as const;

/** The second agent of the fan-out waits for a slot. */
export const WAITING = 'audit-b';

export const PARKED = 'parked';

/** Its agent `build` waits at a gate. */
export const PILOT = 'flight-ship';

const FLIGHT = `---
model: fake
---
# Ship
## build
> gate: approve

${scripted('Build.', { text: 'It is built.' })}
## report
> needs: build

${scripted('Report.', { text: 'All is told.' })}
`;

const BUDGET_USD = 5;

interface EarlierStatus {
  readonly phase: string;
  readonly pending_input: boolean;
  readonly parked?: object;
  readonly turn?: { readonly running: boolean };
}

/** Spawns the agents and waits until each is in its intended state. */
export async function leaveAgents({ call, stack }: EarlierStack): Promise<void> {
  const fake = { model: 'fake' };
  const hang = { hang: true };
  const command = `echo once >> ${WORKER.job}.txt; ${heldCommand(WORKER.job)}; cat ${WORKER.job}.txt`;
  await Promise.all([
    call('spawn', {
      slug: WORKER.slug,
      description: scripted('Do the job.', bash(command), { text: WORKER.text }),
      repos: [{ clone_url: stack.sample.origin, base_branch: 'main' }],
      secrets: { DEPLOY_KEY: 'key-of-the-worker' },
    }),
    call('spawn', { ...fake, slug: 'rested', description: scripted('Rest.', { text: 'Rested.' }), tasks: [] }),
    call('spawn', {
      ...fake,
      slug: PARKED,
      description: scripted('Be refused.', { status: 401, message: 'invalid x-api-key' }),
    }),
    call('spawn', {
      ...fake,
      slug: 'lead',
      description: scripted('Lead.', { text: 'Led.' }),
      max_cost_usd: BUDGET_USD,
    }),
    call('spawn', { ...fake, flight: 'ship.md', flight_source: FLIGHT, flight_inputs: { version: '2' } }),
    call('each', {
      ...fake,
      slug: 'audit-{}',
      description: scripted('Audit {}.', hang),
      items: ['a', 'b'],
      max_concurrent: 1,
    }),
  ]);
  const status = (slug: string): Promise<EarlierStatus> => call('status', { slug });
  const rests = (slug: string) =>
    eventually(`${slug} rests`, async () => {
      const { pending_input, phase } = await status(slug);
      return phase === 'idle' && !pending_input;
    });
  const works = (slug: string) =>
    eventually(`${slug} works`, async () => (await status(slug).catch(() => undefined))?.turn?.running === true);
  await rests('lead');
  await Promise.all([
    call('spawn', { ...fake, slug: 'lead/kid', description: scripted('Help.', { text: 'Helped.' }) }),
    call('spawn', { ...fake, slug: 'lead/busy', description: scripted('Be busy.', hang) }),
  ]);
  await Promise.all([
    ...HANGING.map(works),
    works(WORKER.slug),
    eventually('the parked one parks', async () => (await status(PARKED)).parked !== undefined),
    eventually('the flight is at its gate', async () => {
      const { nodes } = await call<{ readonly nodes: readonly { readonly state: string }[] }>('flight_status', {
        slug: PILOT,
      });
      return nodes.some(({ state }) => state === 'needs-approval');
    }),
  ]);
  // By then the lead has its child's event.
  await Promise.all([...AT_REST, PILOT].map(rests));
}
