// Tells when a turn has ended. Results do not come one per prompt, and an early interrupt gives none at all. Pure.
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

  /** `uuid` is that of the prompt's line. */
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
      // A result without names is from a program that does not name them: it can only be ours, we ask one at a time.
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
