// From session interrupt to the turn's end.
import type { ModelStep } from '../../demo/model/step.ts';
import { pause } from '../bounded.ts';
import { now } from '../clock.ts';
import { followUp, idle, residentAgent } from '../laboratory/agent.ts';
import { startBareAgent } from '../laboratory/bare-agent.ts';
import type { Laboratory } from '../laboratory/laboratory.ts';
import { followSession, type Session } from '../laboratory/session.ts';
import type { Measure, Trial } from '../measure.ts';
import { percentile } from '../statistics.ts';
import { ratioAtMost } from '../target.ts';

/**
 * From the call of the operation to the end of a turn that waits for a shell command. The end is timed next to the
 * agent program: by the runner, or by the floor's bare activity. The notes have the time at which a viewer sees it.
 */
export const interrupt: Measure = {
  name: 'interrupt',
  title: 'session interrupt → turn ended',
  unit: 'ms',
  samples: { full: 30, quick: 5 },
  warmUps: 2,
  target: ratioAtMost(1.4),
  timeoutMs: 60_000,
  open,
};

const LONG_COMMAND: readonly ModelStep[] = [
  { tool: 'Bash', input: { command: `node -e "setTimeout(() => {}, 120000)"`, description: 'wait' } },
  { text: 'never said' },
];

/** Between the model's tool call and the running command: the shell and Node start in less than half of this. */
const COMMAND_STARTS_MS = 500;

async function open(laboratory: Laboratory): Promise<Trial> {
  const bare = await startBareAgent(laboratory);
  const resident = residentAgent(laboratory);
  const visible: number[] = [];
  let session: Session | undefined;
  return {
    floor: async () => {
      const prompt = laboratory.model.script(LONG_COMMAND);
      const ended = laboratory.bare.next('ended', ({ name }) => name === bare.name);
      await bare.order({ activity: 'turn', name: bare.name, text: prompt.text });
      await prompt.requested();
      await pause(COMMAND_STARTS_MS);
      const began = now();
      await bare.order({ activity: 'interrupt', name: bare.name });
      const { at, interrupted } = await ended;
      if (!interrupted) throw new Error('the bare turn ended by itself');
      return at - began;
    },
    ours: async () => {
      const stack = laboratory.stack();
      const agent = await resident.get();
      session ??= followSession(stack, agent.slug);
      const prompt = laboratory.model.script(LONG_COMMAND);
      await followUp(stack, agent, prompt);
      await prompt.requested();
      await pause(COMMAND_STARTS_MS);
      const began = now();
      await stack.client.call('interrupt', { slug: agent.slug });
      const end = (await session.turn(prompt)).at(-1);
      if (end?.event.type !== 'turn_complete' || end.event.status !== 'interrupted') {
        throw new Error(`the turn ended as ${JSON.stringify(end?.event)}`);
      }
      visible.push(end.arrived - began);
      await idle(stack, agent);
      return Date.parse(end.at) - began;
    },
    notes: () =>
      visible.length === 0 ? [] : [`seen in session watch after ${percentile(visible, 50).toFixed(0)} ms, p50`],
    close: async () => {
      await session?.close();
      await bare.stop();
      await resident.close();
    },
  };
}
