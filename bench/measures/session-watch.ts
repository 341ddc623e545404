// From the model's text to the line in `session watch`.
import { createInterface } from 'node:readline';
import type { ChildProcess } from 'node:child_process';
import { startBareClaude } from '../bare/claude.ts';
import { now } from '../clock.ts';
import { followUp, idle, residentAgent, type SpawnedAgent } from '../laboratory/agent.ts';
import { claudeOptions } from '../laboratory/bare-agent.ts';
import type { Laboratory } from '../laboratory/laboratory.ts';
import { end } from '../laboratory/processes.ts';
import type { Measure, Trial } from '../measure.ts';
import { addedAtMost } from '../target.ts';

/** From the model's answer to the line in the output of `murmur session watch`. The floor is the program's own line. */
export const sessionWatch: Measure = {
  name: 'session-watch',
  title: 'model text → line in session watch',
  unit: 'ms',
  samples: { full: 50, quick: 5 },
  warmUps: 3,
  target: addedAtMost(50, 'ms'),
  timeoutMs: 30_000,
  open,
};

async function open(laboratory: Laboratory): Promise<Trial> {
  const name = laboratory.name('bare-text');
  const claude = startBareClaude(await claudeOptions(laboratory, name));
  const resident = residentAgent(laboratory);
  let watch: Watch | undefined;
  return {
    floor: async () => {
      const said = laboratory.name('said');
      const prompt = laboratory.model.script([{ text: said }]);
      const printed = claude.printed(said);
      const turn = claude.turn(prompt.text);
      const sample = (await printed) - (await prompt.requested());
      await turn;
      return sample;
    },
    ours: async () => {
      const stack = laboratory.stack();
      const agent = await resident.get();
      watch ??= watchSession(laboratory, agent);
      const said = laboratory.name('said');
      const prompt = laboratory.model.script([{ text: said }]);
      const printed = watch.printed(said);
      await followUp(stack, agent, prompt);
      const sample = (await printed) - (await prompt.requested());
      await idle(stack, agent);
      return sample;
    },
    close: async () => {
      await claude.stop();
      if (watch !== undefined) await end(watch.child);
      await resident.close();
    },
  };
}

interface Watch {
  readonly child: ChildProcess;
  /** Resolves with the time at which the line with the agent's text was printed. */
  printed(said: string): Promise<number>;
}

function watchSession(laboratory: Laboratory, agent: SpawnedAgent): Watch {
  const child = laboratory.stack().cli('session', 'watch', agent.slug, '--json');
  const waiting = new Map<string, (at: number) => void>();
  if (child.stdout === null) throw new Error('the output of session watch is not piped');
  createInterface({ input: child.stdout }).on('line', (line) => {
    const at = now();
    const { event } = JSON.parse(line) as { event?: { type: string; text?: string } };
    if (event?.type === 'assistant_text') waiting.get(event.text ?? '')?.(at);
  });
  return { child, printed: (said) => new Promise((resolve) => waiting.set(said, resolve)) };
}
