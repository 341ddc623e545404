// The activities of the agent workflow over the ports.
import type { AgentActivities } from '../contract/wire/activities.ts';
import { assess } from './assess.ts';
import { endAgent, endOneAgent } from './end-agent.ts';
import { failing } from './failure.ts';
import { interruptTurn } from './interrupt-turn.ts';
import { noticeTurn } from './notice-turn.ts';
import type { AgentPorts } from './ports.ts';
import { killAgents } from './kill-agents.ts';
import { prepareAgent } from './prepare-agent.ts';
import { runTurn } from './run-turn.ts';
import { createTurnOfAgent } from './takeover.ts';

/** One set per worker: it knows which turns this worker watches and which runners it has opened. */
export function createAgentActivities(ports: AgentPorts): AgentActivities {
  const context = { ports, turns: createTurnOfAgent(), opened: new Map<string, string>() };
  return {
    prepareAgent: failing((input) => prepareAgent(ports, input)),
    runTurn: failing((input) => runTurn(context, input)),
    assess: failing((input) => assess(ports, input)),
    interruptTurn: failing((input) => interruptTurn(ports, input)),
    noticeTurn: failing((input) => noticeTurn(ports, input)),
    endAgent: failing((input) => endAgent(ports, input)),
    killAgents: failing((input) => killAgents(ports, (remains) => endOneAgent(ports, remains), input)),
    publishEvents: failing(async ({ agent, events }) => void (await ports.events.append(agent, 'workflow', events))),
  };
}
