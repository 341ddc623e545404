// Ends the runner of a local machine that is being stopped or destroyed.
import type { CleanStop } from '../../../contract/wire/runner.ts';
import { killUntilGone } from './kill-until-gone.ts';
import { isRunnerOf, runnersOf } from '../../../runner/identity/processes.ts';
import { readRunnerFile } from './runner-files.ts';
import { dropRunner } from './runner-host-end.ts';

/**
 * Ends the runner whose folder this is and waits until it is gone; the agent program goes with its runner. One that a
 * shared process serves is dropped there; those with a process of their own are killed, and found by their command line,
 * which names the folder: a runner that has just been started has no address yet.
 * Answers whether the runner had stopped in good order and left nothing inside: then nobody need look for it.
 */
export async function endRunner(runnerFolder: string): Promise<boolean> {
  const stopped = await readRunnerFile<CleanStop>(runnerFolder, 'ended.json');
  if (stopped === undefined) await dropRunner(runnerFolder);
  await killUntilGone(() =>
    stopped === undefined ? runnersOf(runnerFolder) : isRunnerOf(stopped.pid, runnerFolder) ? [stopped.pid] : [],
  );
  return stopped !== undefined;
}
