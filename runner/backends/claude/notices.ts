// Delivers notices to the model within a turn. After each tool, the program's hook callback asks us for additional
// context for the tool's result. Pure.
import type { TurnNotice } from '../../../contract/wire/turns.ts';
import type { ControlRequestMessage, HookMatchers, UserMessage } from './protocol.ts';

/** The program's hook events after a tool: the first for success, the second for failure. */
const AFTER_TOOL = ['PostToolUse', 'PostToolUseFailure'] as const;

/** Registers the callbacks in `initialize`. Measured: they do not change the time that a tool takes. */
export const AFTER_TOOL_HOOKS: HookMatchers = Object.fromEntries(
  AFTER_TOOL.map((event) => [event, [{ hookCallbackIds: [event] }]]),
);

/** The answer to a hook without a notice. */
export const NO_NOTICE: object = {};

/** The notices of one turn, from the hook that takes one to the tool result that shows its delivery. */
export class NoticesOfTurn {
  readonly #next: () => TurnNotice | undefined;
  /** By the id of the tool call. */
  readonly #given = new Map<string, TurnNotice>();

  constructor(next: () => TurnNotice | undefined) {
    this.#next = next;
  }

  /** The answer to a hook. A subagent's tool gets no notice: only the subagent would see it. */
  answer({ request }: ControlRequestMessage): object {
    const { hook_event_name: event, tool_use_id: call, agent_id: subagent } = request?.input ?? {};
    const isOurs = AFTER_TOOL.some((each) => each === event);
    if (!isOurs || call === undefined || subagent !== undefined) return NO_NOTICE;
    const notice = this.#next();
    if (notice === undefined) return NO_NOTICE;
    this.#given.set(call, notice);
    return { hookSpecificOutput: { hookEventName: event, additionalContext: notice.text.toWellFormed() } };
  }

  /** The notices that were delivered with these tool results. Returns each once. */
  takenWith({ message: { content } }: UserMessage): readonly TurnNotice[] {
    if (this.#given.size === 0 || typeof content === 'string') return [];
    return content.flatMap((block) => {
      const notice = block.type === 'tool_result' ? this.#given.get(block.tool_use_id) : undefined;
      if (notice === undefined || block.type !== 'tool_result') return [];
      this.#given.delete(block.tool_use_id);
      return [notice];
    });
  }
}
