// Controls the bare worker's process. Imports Node built-ins, bounded, processes and bare/messages only.
import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BareMessage } from '../bare/messages.ts';
import { end } from './processes.ts';

export interface BareWorker {
  readonly taskQueue: string;
  /** Resolves with the next message of this type that the predicate accepts. */
  next<T extends BareMessage['type']>(type: T, accept?: (message: Of<T>) => boolean): Promise<Of<T>>;
  /** Kills the worker with SIGKILL and starts another one on the same task queue. */
  killAndReplace(): void;
  stop(): Promise<void>;
}

type Of<T extends BareMessage['type']> = Extract<BareMessage, { readonly type: T }>;

const ENTRY = fileURLToPath(new URL('../bare/worker.ts', import.meta.url));

/** Starts a worker. Resolves when it polls. Stores its workflow bundle in the directory. */
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
