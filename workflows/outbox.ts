// Sends signals to other workflows, in order, concurrently with the rest of a workflow.
import { condition } from '@temporalio/workflow';

/**
 * The unsent signals of a workflow. The workflow must not close while the outbox is busy: nothing else would send them.
 */
export interface SignalOutbox {
  /** Resolves once every signal was sent or refused. */
  drain(): Promise<void>;
  readonly busy: boolean;
}

/**
 * Where an outbox takes its messages from. All methods but `send` are synchronous and have no effects outside the
 * state.
 */
export interface SignalSource<Message> {
  /** Whether a message can be sent now. */
  ready(): boolean;
  /** Removes and returns the next message; undefined if there is none. */
  take(): Message | undefined;
  /** Rejects if the receiver has ended. */
  send(message: Message): Promise<void>;
  /** Called when the receiver has ended. Default: nothing. */
  onRefused?(message: Message): void;
  /** Called after the message was sent or refused. */
  onSettled?(message: Message): void;
  /** Whether the workflow must stay open. Default: a message can be sent, or is being sent. */
  isBusy?(sending: boolean): boolean;
}

/**
 * Starts sending the messages of the source, one at a time. Receivers are addressed by workflow id, so that a message
 * reaches whichever run is current. Messages that were not taken are carried over with the workflow's state.
 */
export function startOutbox<Message>(source: SignalSource<Message>): SignalOutbox {
  let sending = false;
  const isBusy = (): boolean => source.isBusy?.(sending) ?? (sending || source.ready());
  const run = async (): Promise<void> => {
    for (;;) {
      await condition(() => source.ready());
      const message = source.take();
      if (message === undefined) continue;
      sending = true;
      try {
        await source.send(message);
      } catch {
        source.onRefused?.(message);
      } finally {
        sending = false;
        source.onSettled?.(message);
      }
    }
  };
  // Runs until the workflow closes; only a defect rejects it.
  void run();
  return {
    drain: () => condition(() => !isBusy()),
    get busy() {
      return isBusy();
    },
  };
}

/** Combines several outboxes into one. */
export function combine(...outboxes: readonly SignalOutbox[]): SignalOutbox {
  return {
    drain: async () => {
      for (const each of outboxes) if (each.busy) await each.drain();
    },
    get busy() {
      return outboxes.some((each) => each.busy);
    },
  };
}
