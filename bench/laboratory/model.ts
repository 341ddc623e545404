// The scripted model of the demo, with the times of its requests. Imports demo/model and the clock only.
import type { ModelStep } from '../../demo/model/step.ts';
import { startScriptedModel } from '../../demo/model/scripted-model.ts';
import { now } from '../clock.ts';

export interface BenchModel {
  /** Value of ANTHROPIC_BASE_URL. */
  readonly url: string;
  /** Creates a prompt that makes the model answer with these steps, without delay. It identifies the requests. */
  script(steps: readonly ModelStep[]): Prompt;
  stop(): Promise<void>;
}

export interface Prompt {
  /** Unique start of the prompt's text. */
  readonly word: string;
  readonly text: string;
  /** Resolves with the times at which the request for this step (from 0) arrived and its answer began. */
  requested(step?: number): Promise<number>;
  /** Requests so far. */
  count(): number;
}

/** Request bodies that the model keeps. The benchmark does not read them, and each has 80 KB. */
const KEEP = 4;

export async function startModel(): Promise<BenchModel> {
  const prompts = new Map<string, { count: number; readonly steps: Map<number, PromiseWithResolvers<number>> }>();
  const model = await startScriptedModel({
    keep: KEEP,
    script: ({ prompt, step }) => {
      const at = now();
      const known = prompts.get(prompt.match(WORD)?.at(-1) ?? '');
      if (known === undefined) return undefined;
      known.count += 1;
      moment(known.steps, step).resolve(at);
      return undefined;
    },
  });
  return {
    url: model.url,
    script: (steps) => {
      const word = `bench-prompt-${(prompts.size + 1).toString()}.`;
      const known = { count: 0, steps: new Map<number, PromiseWithResolvers<number>>() };
      prompts.set(word, known);
      return {
        word,
        text: `${word} [${JSON.stringify(steps)}]`,
        requested: (step = 0) => moment(known.steps, step).promise,
        count: () => known.count,
      };
    },
    stop: () => model.stop(),
  };
}

const WORD = /bench-prompt-\d+\./g;

function moment(steps: Map<number, PromiseWithResolvers<number>>, step: number): PromiseWithResolvers<number> {
  const known = steps.get(step) ?? Promise.withResolvers<number>();
  steps.set(step, known);
  return known;
}
