// Lists all machines of this installation and namespace for people. Includes those that the sweep leaves alone, and
// names the hosts that could not be asked.
import pLimit from 'p-limit';
import type { Machines } from '../../drivers/machines/configured.ts';
import type { MachineInfo, MachineProvider } from '../../drivers/machines/provider.ts';
import type { MachineOwner } from '../machine.ts';
import { findOwner } from './facts.ts';
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
  /** Machines of others. They are not looked up, because this Temporal does not know them. */
  readonly elsewhere: readonly { readonly name: string; readonly of: 'installation' | 'namespace' }[];
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
  const ofOthers = new Map(listed.map((each) => [each, otherOwner(each.machine, home)]));
  const own = listed.filter((each) => ofOthers.get(each) === undefined);
  return {
    machines: await pLimit(LOOKS_AT_ONCE).map(own, async ({ provider, machine }) => ({
      provider,
      ...(await findOwner(sources, machine, home)),
    })),
    elsewhere: [...ofOthers].flatMap(([{ machine }, of]) => (of === undefined ? [] : [{ name: machine.name, of }])),
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

/** A machine without the label counts as ours. */
function otherOwner({ labels }: MachineInfo, home: MachineOwner): 'installation' | 'namespace' | undefined {
  if ((labels['stack'] ?? home.stack) !== home.stack) return 'installation';
  return (labels['namespace'] ?? home.namespace) === home.namespace ? undefined : 'namespace';
}

/** Whether the agent's spec names this machine, so that the end of the agent ends it as well. */
export function goesWithAgent({ agent, machine, provider }: SurveyedMachine): boolean {
  return agent?.spec.machine.name === machine.name && agent.spec.machine.provider === provider.name;
}
