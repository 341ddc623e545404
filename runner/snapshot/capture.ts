// A snapshot: an immutable copy of conversation and work, made between turns.
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import type { OpenRequest, SnapshotReply } from '../../contract/wire/runner.ts';
import type { AgentProgram } from '../agent-program.ts';
import type { MachineContext } from '../machine-context.ts';
import { writeState } from '../state-file.ts';
import { fileNameOf } from '../turns/turn-records.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { MANIFEST } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { captureRepository } from './repository.ts';
import { saveTranscripts } from './transcripts.ts';

/** The newest one, and the one before, which may still be on its way to the object store. */
const KEPT = 2;

export interface CaptureInput {
  /** Names the snapshot: the turn that it follows. */
  readonly name: string;
  readonly request: OpenRequest;
  readonly workspace: Workspace;
  readonly program: AgentProgram;
}

/** Captures into `<runner>/snapshots/<name>`, in the place of an earlier one of that name; older ones go. */
export async function captureSnapshot(
  { name, request, workspace, program }: CaptureInput,
  context: MachineContext,
): Promise<SnapshotReply> {
  const { paths, scrubber, journal } = context;
  const directory = path.join(paths.snapshots, fileNameOf(name));
  const draft = `${directory}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(path.join(draft, 'home'), { recursive: true, mode: 0o700 });
  const { seq } = journal;
  const [transcripts, ...repos] = await Promise.all([
    program
      .transcriptFiles()
      .then((files) => saveTranscripts(files, { home: paths.home, target: path.join(draft, 'home'), scrubber })),
    ...workspace.checkouts.map((checkout, at) => captureRepository(checkout, draft, `repo-${at}`, context)),
  ]);
  const manifest: Manifest = {
    version: 1,
    session_id: request.session_id,
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
