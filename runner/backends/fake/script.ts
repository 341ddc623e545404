// The script in a prompt: `any text [[ {"tool":"Bash","input":{"command":"ls"}}, {"text":"done"} ]]`. The model's
// answers are part of the conversation, so the player needs no state and works after a resume or restart. Read by the
// fake backend and by the scripted model of the demo. No imports.

/** A tool call of a step. */
export interface ScriptedTool {
  readonly tool: string;
  readonly input?: Readonly<Record<string, unknown>>;
}

/** One answer of the model. A step with several parts gives thinking, text and tools in this order. */
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
  /** The verdict of an assessor, in order of the assessments; null for an invalid answer. Not a step of the agent. */
  readonly verdict?: unknown;
  /** End the agent program once: a resumed session continues with the next step. Only the fake backend supports it. */
  readonly crash?: boolean;
  /** Fail with this HTTP status. */
  readonly status?: number;
  /** Message of the failure. */
  readonly message?: string;
  /** How often the step fails before it succeeds; always when absent. */
  readonly times?: number;
}

/** The part of a conversation's message that a script needs. */
export interface ScriptedMessage {
  readonly role: string;
  readonly text: string;
}

/** A script and the position in it. `position` may be past the end. */
export interface ScriptPlace<Step extends ScriptStep = ScriptStep> {
  readonly steps: readonly Step[];
  readonly position: number;
  /** The script's text: equal for two places of one script. */
  readonly source: string;
}

/** Claude Code writes this for an answer that a killed process never gave. It does not count as an answer. */
const SYNTHETIC_ANSWER = 'No response requested.';

/**
 * The current script: that of the newest user message with a script, at the step after the answers given since. Newer
 * messages without a script, such as reminders, do not replace it.
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

/** The step with the verdict for this prompt. The prompt contains the number of the assessment. */
export function scriptedVerdict(prompt: string): ScriptStep | undefined {
  const number = Number(/assessment (\d+)/i.exec(prompt)?.[1] ?? 1);
  const verdicts = readScript<ScriptStep>(prompt)?.steps.filter(({ verdict }) => verdict !== undefined) ?? [];
  return verdicts[number - 1];
}

/** The last script in a text, or undefined. A step may contain `[[ … ]]` of a shell test. */
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
