// From queue add on an idle agent to the next model request.
import { pause } from '../bounded.ts';
import { now } from '../clock.ts';
import { followUp, idle, residentAgent } from '../laboratory/agent.ts';
import { startBareAgent } from '../laboratory/bare-agent.ts';
import type { Laboratory } from '../laboratory/laboratory.ts';
import type { Measure, Trial } from '../measure.ts';
import { ratioAtMost } from '../target.ts';

/** From the call of the operation to the arrival of the turn's first request at the model. */
export const queueAdd: Measure = {
  name: 'queue-add',
  title: 'queue add on an idle agent → next model request',
  unit: 'ms',
  samples: { full: 50, quick: 5 },
  warmUps: 3,
  target: ratioAtMost(1.15),
  timeoutMs: 30_000,
  open,
};

/** Pause before a sample: longer than the work after a turn takes on either side, in milliseconds. */
const SETTLE_MS = 200;

async function open(laboratory: Laboratory): Promise<Trial> {
  const bare = await startBareAgent(laboratory);
  const resident = residentAgent(laboratory);
  return {
    floor: async () => {
      const prompt = laboratory.model.script([{ text: 'done' }]);
      const ended = laboratory.bare.next('ended', ({ name }) => name === bare.name);
      await pause(SETTLE_MS);
      const began = now();
      await bare.order({ activity: 'turn', name: bare.name, text: prompt.text });
      const requested = await prompt.requested();
      await ended;
      return requested - began;
    },
    ours: async () => {
      const stack = laboratory.stack();
      const agent = await resident.get();
      const prompt = laboratory.model.script([{ text: 'done' }]);
      await pause(SETTLE_MS);
      const began = now();
      await followUp(stack, agent, prompt);
      const requested = await prompt.requested();
      await idle(stack, agent);
      return requested - began;
    },
    close: async () => {
      await bare.stop();
      await resident.close();
    },
  };
}
