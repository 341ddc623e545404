// Ends the runner of a local machine that is being stopped or destroyed.
import type { CleanStop } from '../../../contract/wire/runner.ts';
import { killUntilGone } from './kill-until-gone.ts';
import { isRunnerOf, runnersOf } from '../../../runner/identity/processes.ts';
import { readRunnerFile } from './runner-files.ts';
import { dropRunner } from './runner-host-end.ts';

/**
 * Ends the runner of the folder and waits until it is gone; its agent program ends with it. A shared process drops a
 * runner that it serves. A runner with its own process is killed. It is found by its command line, which names the
 * folder: a runner that has just started has not written its address yet. Resolves with true when the runner had
 * stopped cleanly before: then no processes of the machine are left.
 */
export async function endRunner(runnerFolder: string): Promise<boolean> {
  const stopped = await readRunnerFile<CleanStop>(runnerFolder, 'ended.json');
  if (stopped === undefined) await dropRunner(runnerFolder);
  await killUntilGone(() =>
    stopped === undefined ? runnersOf(runnerFolder) : isRunnerOf(stopped.pid, runnerFolder) ? [stopped.pid] : [],
  );
  return stopped !== undefined;
}
