// The bare worker as the measures see it. Imports Node built-ins, bounded, processes and bare/messages only.
import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BareMessage } from '../bare/messages.ts';
import { end } from './processes.ts';

export interface BareWorker {
  readonly taskQueue: string;
  /** The next message of this type that the test accepts. */
  next<T extends BareMessage['type']>(type: T, accept?: (message: Of<T>) => boolean): Promise<Of<T>>;
  /** kill -9, and at once a new one on the same task queue. */
  killAndReplace(): void;
  stop(): Promise<void>;
}

type Of<T extends BareMessage['type']> = Extract<BareMessage, { readonly type: T }>;

const ENTRY = fileURLToPath(new URL('../bare/worker.ts', import.meta.url));

/** Resolves when the worker polls. Its workflow bundle is kept in the directory. */
export async function startBareWorker(address: string, taskQueue: string, directory: string): Promise<BareWorker> {
  const listeners = new Set<(message: BareMessage) => void>();
  const start = () => {
    const child = fork(ENTRY, [address, taskQueue, path.join(directory, 'bare-workflows.js')], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    child.on('message', (message) => {
      for (const listener of [...listeners]) listener(message as BareMessage);
    });
    return child;
  };
  const next: BareWorker['next'] = (type, accept = () => true) =>
    new Promise((resolve) => {
      const listener = (message: BareMessage) => {
        if (message.type !== type || !accept(message as Of<typeof type>)) return;
        listeners.delete(listener);
        resolve(message as Of<typeof type>);
      };
      listeners.add(listener);
    });

  let child: ChildProcess = start();
  await new Promise((resolve, reject) => {
    void next('ready').then(resolve);
    child.once('exit', () => reject(new Error('the bare worker ended before it was ready')));
  });
  return {
    taskQueue,
    next,
    killAndReplace: () => {
      child.kill('SIGKILL');
      child = start();
    },
    stop: () => end(child),
  };
}
