// Sends signals to other workflows, in order, beside everything else that a workflow does.
import { condition } from '@temporalio/workflow';

/** What is left to send: a workflow must not close while it is busy, as nobody would send it then. */
export interface SignalOutbox {
  /** Resolves once everything has been sent, or cannot be. */
  drain(): Promise<void>;
  readonly busy: boolean;
}

/** Where the messages of an outbox come from. All but `send` are synchronous and without effects outside the state. */
export interface SignalSource<Message> {
  /** Whether a message waits that can be sent now. */
  ready(): boolean;
  /** Takes the next one; it is not offered again. Undefined when there is none. */
  take(): Message | undefined;
  /** Rejects when the receiver has ended. */
  send(message: Message): Promise<void>;
  /** The receiver has ended. Default: nothing, as it needs to know nothing then. */
  onRefused?(message: Message): void;
  /** The message has been sent or refused. */
  onSettled?(message: Message): void;
  /** Whether something is left. Default: a message waits, or is being sent. */
  isBusy?(sending: boolean): boolean;
}

/**
 * Starts to send what the source has, one message at a time. By workflow ids, so that a message arrives whichever run the
 * receiver is in. What is not taken yet continues as new with the state of the workflow.
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
  // It runs for as long as the workflow does, and only a defect can end it.
  void run();
  return {
    drain: () => condition(() => !isBusy()),
    get busy() {
      return isBusy();
    },
  };
}

/** Several outboxes as one. */
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
