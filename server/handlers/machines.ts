// Machines for people: whose they are, and the end of those that no living agent owns.
import { namespaceIdOf } from '../../agents/namespace-id.ts';
import type { Report } from '../../agents/platform.ts';
import { claimMachine } from '../../agents/machine-claim.ts';
import type { ClaimHolder } from '../../agents/machine-claim.ts';
import { latestSnapshot } from '../../agents/snapshots.ts';
import { endUnowned } from '../../agents/sweep/end-unowned.ts';
import { goesWithAgent, surveyMachines } from '../../agents/sweep/survey.ts';
import type { Survey, SurveyedMachine } from '../../agents/sweep/survey.ts';
import { inTime } from '../../agents/temporal.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { absolutePathOf, parseWorkflowId } from '../../contract/wire/identity.ts';
import type { AgentIdentity } from '../../contract/wire/identity.ts';
import { nearestName } from '../../contract/wire/nearest.ts';
import { may } from '../../contract/wire/rights.ts';
import { findRunner } from '../../drivers/machines/runner-process.ts';
import { accountOf } from '../address.ts';
import type { ServerParts } from '../parts.ts';
import type { Answer, Call, Handler } from '../handler.ts';

/** Names in a hint: as many as can be read at a glance. */
const NAMES = 10;

export const machineLs: Handler<'machine_ls'> = async (parts, input, call) => {
  const account = accountOf(call, input.developer);
  const { machines, silent } = await survey(parts, call);
  const shown = machines.filter((each) => {
    const owner = ownerOf(each);
    // A machine that names no agent is shown to everybody: no account owns it.
    return owner === undefined || account === undefined || owner.account === account;
  });
  return {
    machines: shown.map(rowOf).toSorted((left, right) => (left.name < right.name ? -1 : 1)),
    unreachable: silent,
  };
};

export const machineRm: Handler<'machine_rm'> = async (parts, { name }, call) => {
  const found = findNamed(await survey(parts, call), name, call);
  refuseOwned(found);
  const { snapshot, isNew, problems } = await end(parts, found, call);
  const { provider, host, agent } = rowOf(found);
  const kept = snapshot === undefined ? 'there is no snapshot of its work' : 'its last stored snapshot is kept';
  const hindered = problems.length === 0 ? '' : ` (${problems.join('; ')})`;
  return {
    name,
    provider,
    ...(host === undefined ? {} : { host }),
    ...(agent === undefined ? {} : { agent }),
    message: `removed ${name}; ${isNew ? 'a last snapshot was taken and is kept' : kept}${hindered}`,
    ...(snapshot === undefined ? {} : { snapshot }),
    new_snapshot: isNew,
    problems,
  };
};

async function survey(parts: ServerParts, call: Call): Promise<Survey> {
  const { key, machines, objects, temporal: client } = parts;
  const namespaceId = (): Promise<string> => inTime(parts, namespaceIdOf(client));
  return await surveyMachines({ client, key, machines, namespaceId, now: () => new Date(), objects }, call.signal);
}

/** The agent that the labels name. */
function ownerOf({ machine }: SurveyedMachine): AgentIdentity | undefined {
  return parseWorkflowId(machine.labels['agent'] ?? '');
}

function rowOf(found: SurveyedMachine): Answer<'machine_ls'>['machines'][number] {
  const { machine, ownership, provider, spawnedAt } = found;
  if (ownership.state === 'foreign') throw new TypeError(`machine ${machine.name} is of another installation`);
  const owner = ownerOf(found);
  return {
    name: machine.name,
    provider: provider.name,
    ...(machine.zone === undefined ? {} : { host: machine.zone }),
    state: ownership.state,
    ...(ownership.state === 'orphaned' ? { reason: ownership.reason } : {}),
    ...(owner === undefined ? {} : { agent: absolutePathOf(owner) }),
    ...(spawnedAt === undefined ? {} : { spawned_at: spawnedAt }),
  };
}

/**
 * The machine of that name. Throws UNAVAILABLE if it may be on a host that could not be asked. Throws NOT_FOUND, which
 * lists the names that the caller may use, also for a machine of another account's agent.
 */
function findNamed({ foreign, machines, silent }: Survey, name: string, call: Call): SurveyedMachine {
  const own = machines.filter((each) => {
    const owner = ownerOf(each);
    return owner === undefined || may(call.caller, call.access, owner);
  });
  const found = own.find(({ machine }) => machine.name === name);
  if (found !== undefined) return found;
  const quoted = JSON.stringify(name);
  if (foreign.includes(name)) {
    throw new MurmurError('FAILED_PRECONDITION', `machine ${quoted} belongs to another installation of Murmur`, {
      hint: 'remove it there',
      details: { name },
    });
  }
  const known = own.map(({ machine }) => machine.name).toSorted();
  const [silence] = silent;
  if (silence !== undefined) {
    const where = [silence.provider, ...(silence.host === undefined ? [] : [silence.host])].join(' ');
    throw new MurmurError('UNAVAILABLE', `machine ${quoted} was not found, and ${where} cannot be asked`, {
      hint: `try again when it can be reached: ${silence.error}`,
      details: { name, known, unreachable: silent },
    });
  }
  throw new MurmurError('NOT_FOUND', `machine ${quoted} not found`, {
    hint: known.length === 0 ? 'you have no machines' : `your machines: ${named(name, known)}`,
    details: { name, known },
  });
}

/** The nearest first. */
function named(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  const names = near === undefined ? known : [near, ...known.filter((each) => each !== near)];
  return [...names.slice(0, NAMES), ...(names.length > NAMES ? ['…'] : [])].join(', ');
}

/** Throws FAILED_PRECONDITION for a machine that an agent has, or whose agent's end takes it along. */
function refuseOwned(found: SurveyedMachine): void {
  const { state } = found.ownership;
  if (state !== 'owned' && state !== 'pending') return;
  const { name, agent = '' } = rowOf(found);
  const quoted = JSON.stringify(agent);
  const problem =
    state === 'owned'
      ? `machine ${name} belongs to agent ${quoted}, which is alive`
      : `agent ${quoted} has ended, and its end takes machine ${name} along`;
  throw new MurmurError('FAILED_PRECONDITION', problem, {
    hint: `\`murmur kill ${agent}\` ends the agent with its machine`,
    details: { name, agent, state },
  });
}

interface Ended {
  readonly snapshot: string | undefined;
  readonly isNew: boolean;
  readonly problems: readonly string[];
}

/**
 * As the sweep ends it. A machine that follows from no sealed spec has nothing but itself to be ended. Throws
 * FAILED_PRECONDITION for a machine that is being ended, and NOT_FOUND for one that has been ended meanwhile.
 */
async function end(parts: ServerParts, found: SurveyedMachine, call: Call): Promise<Ended> {
  const { agent, machine, ownership, provider } = found;
  const attempt = await claimMachine(provider, machine, call.from);
  if (attempt.claim === undefined) throw endedByOther(machine.name, attempt.holder);
  await using claim = attempt.claim;
  if (agent === undefined || !goesWithAgent(found)) {
    await provider.destroy(machine.name);
    const unproven = 'no last snapshot: nothing proves which agent has worked on it';
    return { snapshot: undefined, isNew: false, problems: [unproven] };
  }
  const problems: string[] = [];
  let isAnswered = false;
  const find: typeof findRunner = async (...asked) => {
    const runner = await findRunner(...asked);
    isAnswered = runner !== undefined;
    return runner;
  };
  const report: Report = (fact, details) => {
    parts.log.warn(details, fact);
    problems.push(`${fact}: ${String(details['error'])}`);
  };
  const before = await latestSnapshot(parts.objects, agent.spec);
  const reason = ownership.state === 'orphaned' ? `its machine was removed by ${call.from}` : undefined;
  const { snapshot } = await endUnowned({ ...parts, runners: { find }, report }, agent, claim, reason);
  const isNew = snapshot !== undefined && snapshot !== before?.key;
  const missing = isNew || problems.length > 0 ? undefined : whyNoSnapshot(found, isAnswered);
  return { snapshot, isNew, problems: missing === undefined ? problems : [missing] };
}

/** Undefined for a machine that has not changed since its last stored snapshot. */
function whyNoSnapshot({ agent, machine }: SurveyedMachine, isAnswered: boolean): string | undefined {
  if (agent?.isReplaced === true) return 'no last snapshot: the snapshots of that name are those of a later agent';
  if (machine.state !== 'running') return `no last snapshot: the machine was ${machine.state}`;
  return isAnswered ? undefined : 'no last snapshot: its runner did not answer';
}

function endedByOther(name: string, holder: ClaimHolder | undefined): MurmurError {
  if (holder === undefined) {
    return new MurmurError('NOT_FOUND', `machine ${name} is gone: another process has ended it`, { details: { name } });
  }
  return new MurmurError('FAILED_PRECONDITION', `machine ${name} is already being ended by ${holder.by}`, {
    hint: '`murmur machine ls` shows whether it is gone',
    details: { name, by: holder.by },
  });
}
