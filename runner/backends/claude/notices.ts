// Gives notices to the model within a turn: the program asks us after each tool whether its result needs a word more, by
// hook callbacks of its control protocol. Pure.
import type { TurnNotice } from '../../../contract/wire/turns.ts';
import type { ControlRequestMessage, HookMatchers, UserMessage } from './protocol.ts';

/** Events of the program after a tool: it asks at the first when the tool went well, at the second when it failed. */
const AFTER_TOOL = ['PostToolUse', 'PostToolUseFailure'] as const;

/** What `initialize` says so that the program asks. Measured: no difference in the time that a tool takes. */
export const AFTER_TOOL_HOOKS: HookMatchers = Object.fromEntries(
  AFTER_TOOL.map((event) => [event, [{ hookCallbackIds: [event] }]]),
);

/** Answer to a hook that changes nothing. */
export const NO_WORD: object = {};

/** The notices of one turn, from the hook that takes one to the tool result that proves that the program has it. */
export class NoticesOfTurn {
  readonly #next: () => TurnNotice | undefined;
  /** By the id of the tool call. */
  readonly #given = new Map<string, TurnNotice>();

  constructor(next: () => TurnNotice | undefined) {
    this.#next = next;
  }

  /** The answer to a hook. A subagent's tool gets none: its words would end with the subagent. */
  answer({ request }: ControlRequestMessage): object {
    const { hook_event_name: event, tool_use_id: call, agent_id: subagent } = request?.input ?? {};
    const isOurs = AFTER_TOOL.some((each) => each === event);
    if (!isOurs || call === undefined || subagent !== undefined) return NO_WORD;
    const notice = this.#next();
    if (notice === undefined) return NO_WORD;
    this.#given.set(call, notice);
    return { hookSpecificOutput: { hookEventName: event, additionalContext: notice.text.toWellFormed() } };
  }

  /** The notices that the program has with these tool results. Each is answered once. */
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
