// Detects the end of a turn. There is not one result per prompt, and none after an early interrupt. Pure.
import type { ProgramMessage, ResultMessage } from './protocol.ts';

/**
 * Follows the program's messages for one prompt. The prompt is *settled* by a result that names it or by its
 * `command_lifecycle` reaching `completed` or `cancelled`; the turn has *ended* once the program is idle after that.
 */
export class TurnEndDetector {
  readonly #uuid: string;
  #result: ResultMessage | undefined;
  #isSettled = false;
  #hasEnded = false;

  /** `uuid` of the prompt's line. */
  constructor(uuid: string) {
    this.#uuid = uuid;
  }

  /** The prompt's result; undefined when it was cancelled before the model was asked. */
  get result(): ResultMessage | undefined {
    return this.#result;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  take(message: ProgramMessage): void {
    if (message.type === 'result') {
      // Versions that do not name prompts: the result is for our prompt, because only one is sent at a time.
      if (message.user_message_uuids?.includes(this.#uuid) === false) return;
      this.#result = message;
      this.#isSettled = true;
    } else if (message.type === 'command_lifecycle' && message.command_uuid === this.#uuid) {
      if (message.state === 'completed' || message.state === 'cancelled') this.#isSettled = true;
    } else if (message.type === 'system' && message.subtype === 'session_state_changed') {
      if (message.state === 'idle' && this.#isSettled) this.#hasEnded = true;
    }
  }
}
