// Work on a machine, and its capture.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { SnapshotReply } from '../../../contract/wire/runner.ts';
import type { Manifest } from '../../../runner/snapshot/manifest.ts';
import { bash, makeFolder, makeOrigin, openRequest, runTurn, startRunner } from '../fixture.ts';
import type { TestRunner } from '../fixture.ts';

export interface Worked {
  readonly origin: string;
  readonly folder: string;
  readonly runner: TestRunner;
  readonly cwd: string;
  readonly reply: SnapshotReply;
  readonly manifest: Manifest;
}

export const SESSION = '3b241101-e2bb-4255-8caf-4136c566a962';

/** Runs a command as a turn on a fresh repository and captures. */
export async function workAndCapture(command: string, makeRepository = makeOrigin): Promise<Worked> {
  const folder = makeFolder();
  const origin = await makeRepository(folder);
  const runner = await startRunner({ folder });
  const request = openRequest({ session_id: SESSION, repos: [{ clone_url: origin, branch: 'work' }] });
  const { cwd } = await runner.client.open(request);
  await runTurn(runner, 't1', bash(`set -e; ${command}`));
  const reply = await runner.client.snapshot();
  const manifest = JSON.parse(readFileSync(path.join(reply.directory, 'manifest.json'), 'utf8')) as Manifest;
  return { folder, origin, runner, cwd, reply, manifest };
}

/** Commands that leave changes of every kind. */
export const DIRTY = [
  'mkdir -p "d i r/é"; echo 1 > "d i r/é/new"; printf "\\000\\377" > binary; ln -s README.md link',
  'echo changed >> README.md; git add README.md; echo again >> README.md',
  'echo tool > tool; chmod +x tool; git add tool; rm .gitignore',
];
