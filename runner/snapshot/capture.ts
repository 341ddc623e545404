// Captures snapshots: immutable copies of conversation and work, made between turns.
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { OpenRequest, SnapshotReply } from '../../contract/wire/runner.ts';
import type { AgentProgram } from '../agent-program.ts';
import type { MachineContext } from '../machine-context.ts';
import { writeState } from '../state-file.ts';
import { fileNameOf } from '../turns/turn-records.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { MANIFEST } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { captureRepository } from './repository.ts';
import { captureRoom } from './room.ts';
import { saveTranscripts } from './transcripts.ts';

/** The newest snapshot, and the one before, which may still be uploaded to the object store. */
const KEPT = 2;

export interface CaptureInput {
  /** Name of the snapshot: the id of the turn before it. */
  readonly name: string;
  readonly request: OpenRequest;
  readonly workspace: Workspace;
  readonly program: AgentProgram;
  /** Limit of the agent's files in MiB; absent on machines of earlier builds. */
  readonly diskMb?: number | undefined;
}

/**
 * Captures into `<runner>/snapshots/<name>` and replaces an earlier snapshot of that name. Removes older ones. Throws
 * RESOURCE_EXHAUSTED for too much content, and journals it. A failed capture leaves no files.
 */
export async function captureSnapshot(input: CaptureInput, context: MachineContext): Promise<SnapshotReply> {
  const { paths, journal } = context;
  const directory = path.join(paths.snapshots, fileNameOf(input.name));
  const draft = `${directory}.draft`;
  try {
    return await captureInto(draft, directory, input, context);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (error instanceof MurmurError && error.code === 'RESOURCE_EXHAUSTED') {
      journal.append({ type: 'error', code: 'snapshot', message: error.message });
    }
    throw error;
  }
}

async function captureInto(
  draft: string,
  directory: string,
  { request, workspace, program, diskMb }: CaptureInput,
  context: MachineContext,
): Promise<SnapshotReply> {
  const { paths, scrubber, journal, containment, env } = context;
  const room = captureRoom(diskMb);
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(path.join(draft, 'home'), { recursive: true, mode: 0o700 });
  const { seq } = journal;
  const conversation = program
    .transcriptFiles()
    .then((files) => saveTranscripts(files, { home: paths.home, target: path.join(draft, 'home'), scrubber, room }));
  const repositories = workspace.checkouts.map((checkout, at) =>
    captureRepository(checkout, draft, `repo-${at}`, { containment, env, room }),
  );
  // Waits for all, even if one fails: they may still write, and these files must be removed too.
  await Promise.allSettled([conversation, ...repositories]);
  const [transcripts, ...repos] = await Promise.all([conversation, ...repositories]);
  const manifest: Manifest = {
    version: 1,
    session_id: program.sessionId,
    backend: request.backend,
    cwd: workspace.cwd,
    seq,
    repos,
    transcripts,
  };
  writeState(path.join(draft, MANIFEST), manifest);
  rmSync(directory, { recursive: true, force: true });
  renameSync(draft, directory);
  removeOlder(paths.snapshots, directory);
  const files = [
    MANIFEST,
    ...repos.flatMap(({ bundle, conflicts }) => [bundle, conflicts].filter((file) => file !== undefined)),
    ...transcripts.map((file) => path.join('home', file)),
  ];
  return { directory, files, seq };
}

function removeOlder(snapshots: string, newest: string): void {
  const others = readdirSync(snapshots)
    .map((name) => path.join(snapshots, name))
    .filter((each) => each !== newest)
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const old of others.slice(KEPT - 1)) rmSync(old, { recursive: true, force: true });
}
