// Lists all machines of this installation for people, with those that the sweep leaves alone and the hosts that could
// not be asked.
import pLimit from 'p-limit';
import type { Machines } from '../../drivers/machines/configured.ts';
import type { MachineInfo, MachineProvider } from '../../drivers/machines/provider.ts';
import type { MachineOwner } from '../machine.ts';
import { findOwner } from './facts.ts';
import { isOwnStack } from './ownership.ts';
import type { FactSources, MachineFinding } from './facts.ts';

/** Concurrent lookups: each is a call to Temporal of a few milliseconds. */
const LOOKS_AT_ONCE = 16;

export interface SurveySources extends FactSources {
  readonly machines: Machines;
  /** Id of the Temporal namespace. Throws UNAVAILABLE when Temporal cannot be asked. */
  readonly namespaceId: () => Promise<string>;
}

/** A machine, its owner and its provider. */
export interface SurveyedMachine extends MachineFinding {
  readonly provider: MachineProvider;
}

/** A provider, or one of its hosts, whose machines are not known. */
export interface SilentProvider {
  readonly provider: string;
  readonly host?: string;
  readonly error: string;
}

export interface Survey {
  readonly machines: readonly SurveyedMachine[];
  /** Names of the machines of other installations. */
  readonly foreign: readonly string[];
  readonly silent: readonly SilentProvider[];
}

interface Listed {
  readonly provider: MachineProvider;
  readonly machine: MachineInfo;
}

/** Throws the SDK's errors when Temporal does not answer in time. */
export async function surveyMachines(sources: SurveySources, signal: AbortSignal): Promise<Survey> {
  const home: MachineOwner = { stack: sources.key.id, namespace: await sources.namespaceId() };
  const lists = await Promise.all(Object.values(sources.machines).map((each) => listAll(each, signal)));
  const listed = lists.flatMap((each) => each.listed);
  const isForeign = ({ machine }: Listed): boolean => !isOwnStack(machine.labels, home);
  const own = listed.filter((each) => !isForeign(each));
  return {
    machines: await pLimit(LOOKS_AT_ONCE).map(own, async ({ provider, machine }) => ({
      provider,
      ...(await findOwner(sources, machine, home)),
    })),
    foreign: listed.filter(isForeign).map(({ machine }) => machine.name),
    silent: lists.flatMap((each) => each.silent),
  };
}

async function listAll(
  provider: MachineProvider,
  signal: AbortSignal,
): Promise<{ readonly listed: readonly Listed[]; readonly silent: readonly SilentProvider[] }> {
  try {
    // Lists without a label filter, because machines of the first builds lack the labels.
    const { machines, unreachable } = await provider.list({}, signal);
    return {
      listed: machines.map((machine) => ({ provider, machine })),
      silent: unreachable.map(({ host, reason }) => ({ provider: provider.name, host, error: reason.message })),
    };
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    return { listed: [], silent: [{ provider: provider.name, error: reason }] };
  }
}

/** Whether the agent's spec names this machine, so that the end of the agent ends it as well. */
export function goesWithAgent({ agent, machine, provider }: SurveyedMachine): boolean {
  return agent?.spec.machine.name === machine.name && agent.spec.machine.provider === provider.name;
}
