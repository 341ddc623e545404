// The script in a prompt: `any text [[ {"tool":"Bash","input":{"command":"ls"}}, {"text":"done"} ]]`. What the model is
// to say travels with the conversation, so that whoever plays it needs no memory and survives resume and restart.
// Read by the fake backend and by the scripted model of the demo. No imports.

/** A tool call of a step. */
export interface ScriptedTool {
  readonly tool: string;
  readonly input?: Readonly<Record<string, unknown>>;
}

/** One answer of the model. A step with several parts plays thinking, text and tools in this order. */
export interface ScriptStep {
  readonly thinking?: string;
  readonly text?: string;
  /** One tool call: `Bash {command}`, `Write {file_path, content}` and `Read {file_path}` are known everywhere. */
  readonly tool?: string;
  readonly input?: Readonly<Record<string, unknown>>;
  /** Several calls in one answer. */
  readonly tools?: readonly ScriptedTool[];
  /** Milliseconds before the answer begins. */
  readonly delayMs?: number;
  /** Never answer, until interrupted. */
  readonly hang?: boolean;
  /** What an assessor says, first, second, third; null for nothing of the wanted form. No step of the agent's own. */
  readonly verdict?: unknown;
  /** End the agent program, once: a resumed session goes on with the next step. Known to the fake backend only. */
  readonly crash?: boolean;
  /** Fail with this HTTP status. */
  readonly status?: number;
  /** Words of the failure. */
  readonly message?: string;
  /** How often the step fails before it plays; for ever when absent. */
  readonly times?: number;
}

/** A message of the conversation, as far as a script cares. */
export interface ScriptedMessage {
  readonly role: string;
  readonly text: string;
}

/** A script and the place in it. `position` may lie past the end. */
export interface ScriptPlace<Step extends ScriptStep = ScriptStep> {
  readonly steps: readonly Step[];
  readonly position: number;
  /** The script's own text: two places of one script share it. */
  readonly source: string;
}

/** What Claude Code writes itself for an answer that a killed process never gave: no answer of the script. */
const SYNTHETIC_ANSWER = 'No response requested.';

/**
 * The script that is in force: that of the newest user message which has one, at the step after the answers given
 * since. A newer message without a script does not cancel it, so reminders and notes do not disturb a run.
 */
export function scriptPlace<Step extends ScriptStep = ScriptStep>(
  messages: readonly ScriptedMessage[],
): ScriptPlace<Step> | undefined {
  for (let at = messages.length - 1; at >= 0; at--) {
    const message = messages[at];
    if (message?.role !== 'user') continue;
    const script = readScript<Step>(message.text);
    if (script === undefined) continue;
    const position = messages
      .slice(at + 1)
      .filter(({ role, text }) => role === 'assistant' && text.trim() !== SYNTHETIC_ANSWER).length;
    return { ...script, steps: script.steps.filter(({ verdict }) => verdict === undefined), position };
  }
  return undefined;
}

/** The step with the verdict that an assessor gives to this prompt, which says the how manieth assessment it is. */
export function scriptedVerdict(prompt: string): ScriptStep | undefined {
  const number = Number(/assessment (\d+)/i.exec(prompt)?.[1] ?? 1);
  const verdicts = readScript<ScriptStep>(prompt)?.steps.filter(({ verdict }) => verdict !== undefined) ?? [];
  return verdicts[number - 1];
}

/** The last script in a text, or undefined. Brackets of a shell test inside a step do not confuse it. */
function readScript<Step>(text: string): { steps: readonly Step[]; source: string } | undefined {
  for (let end = text.lastIndexOf(']]'); end > 0; end = text.lastIndexOf(']]', end - 1)) {
    if (!/\}\s*$/.test(text.slice(Math.max(0, end - 64), end))) continue;
    for (
      let start = text.lastIndexOf('[[', end);
      start >= 0;
      start = start === 0 ? -1 : text.lastIndexOf('[[', start - 1)
    ) {
      if (!/^\s*\{/.test(text.slice(start + 2, start + 66))) continue;
      const source = text.slice(start + 1, end + 1);
      const steps = parseSteps<Step>(source);
      if (steps !== undefined) return { steps, source };
    }
  }
  return undefined;
}

function parseSteps<Step>(source: string): readonly Step[] | undefined {
  try {
    const steps: unknown = JSON.parse(source);
    const isScript = Array.isArray(steps) && steps.every((step) => typeof step === 'object' && step !== null);
    return isScript ? (steps as Step[]) : undefined;
  } catch {
    return undefined;
  }
}
