// Files of the machine of the agent that calls. They are read by its runner with the agent's rights; a person's files are
// where the server cannot see them.
import { buffer } from 'node:stream/consumers';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { FileRequest } from '../../contract/wire/runner.ts';
import type { RunnerClient } from '../../drivers/machines/runner-client.ts';
import { findRunner, recordedRunner } from '../../drivers/machines/runner-process.ts';
import { machineOf } from '../../agents/machine.ts';
import type { AgentMachine } from '../../agents/machine.ts';
import type { Call } from '../handlers/handler.ts';
import type { ServerParts } from '../parts.ts';

/** Where the caller's files are read. */
export type FileReader = Pick<RunnerClient, 'file'>;

/**
 * What reads the files of the agent that calls. Throws FAILED_PRECONDITION for a person, and for an agent that has ended;
 * UNAVAILABLE for one whose machine is gone or has no runner.
 * @param field the field that names the file
 */
export async function fileReaderOf(parts: ServerParts, { caller }: Call, field: string): Promise<FileReader> {
  if (caller.agent === undefined) {
    throw new MurmurError('FAILED_PRECONDITION', `over HTTP the server cannot see your file that \`${field}\` names`, {
      hint: 'register the server over stdio, where your files are: `claude mcp add murmur -- murmur mcp`',
      details: { field },
    });
  }
  const on = await machineOf(parts, caller.agent);
  if (await hasRunner(on)) return { file: (file, signal) => readOver(on, file, signal) };
  throw new MurmurError('UNAVAILABLE', `nothing on machine ${on.name} answers that could read your file`, {
    hint: 'try again in a moment: a machine that is lost is replaced',
    details: { field, machine: on.name },
  });
}

/** False as well for a machine that is gone or does not answer. */
async function hasRunner({ name, provider }: AgentMachine): Promise<boolean> {
  try {
    await using machine = await provider.connect(name);
    return (await findRunner(machine)) !== undefined;
  } catch (error) {
    if (error instanceof MurmurError && ['NOT_FOUND', 'UNAVAILABLE'].includes(error.code)) return false;
    throw error;
  }
}

/** The connection is held for as long as the file is read. */
async function* readOver(
  { name, provider }: AgentMachine,
  file: FileRequest,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  await using machine = await provider.connect(name);
  const runner = await recordedRunner(machine);
  if (runner === undefined) throw new MurmurError('UNAVAILABLE', `the runner on machine ${name} has gone`);
  yield* runner.file(file, signal);
}

/** How much of a file is wanted, and who waits for it. */
export interface FileBounds {
  readonly call: Pick<Call, 'signal'>;
  readonly timing: Pick<ServerParts['timing'], 'uploadSilence' | 'uploadArrival'>;
  readonly bytes: number;
  /** What a file of more bytes is answered with. */
  readonly tooLarge: () => MurmurError;
}

/**
 * The pieces of a file; what reads it has ended when they have. Throws `tooLarge` as soon as more has come than is wanted,
 * what the runner refuses with, UNAVAILABLE when it breaks off, falls silent or takes too long, and the reason of the
 * call's signal.
 */
export async function* machineFile(
  reader: FileReader,
  file: FileRequest,
  { bytes: limit, call, timing, tooLarge }: FileBounds,
): AsyncGenerator<Uint8Array> {
  const late = new AbortController();
  const giveUp = (): void => late.abort();
  const whole = setTimeout(giveUp, timing.uploadArrival);
  let silence = setTimeout(giveUp, timing.uploadSilence);
  let bytes = 0;
  try {
    for await (const piece of reader.file(file, AbortSignal.any([call.signal, late.signal]))) {
      // The silence that counts is the machine's: whoever takes the pieces may need a moment.
      clearTimeout(silence);
      bytes += piece.length;
      if (bytes > limit) throw tooLarge();
      yield piece;
      silence = setTimeout(giveUp, timing.uploadSilence);
    }
  } catch (error) {
    call.signal.throwIfAborted();
    if (!late.signal.aborted) throw error;
    throw new MurmurError('UNAVAILABLE', `reading ${JSON.stringify(file.path)} takes too long`, {
      hint: 'try it again',
      cause: error,
    });
  } finally {
    clearTimeout(silence);
    clearTimeout(whole);
  }
}

/** The whole file, which is small. Throws as `machineFile` does. */
export async function readMachineFile(reader: FileReader, file: FileRequest, bounds: FileBounds): Promise<Buffer> {
  return await buffer(machineFile(reader, file, bounds));
}
