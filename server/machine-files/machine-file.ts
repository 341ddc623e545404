// Files on the machine of a calling agent. Its runner reads them with the agent's rights. The server cannot read a
// person's files.
import { buffer } from 'node:stream/consumers';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { FileRequest } from '../../contract/wire/runner.ts';
import type { RunnerClient } from '../../drivers/machines/runner-client.ts';
import { findRunner, recordedRunner } from '../../drivers/machines/runner-process.ts';
import { machineOf } from '../../agents/machine.ts';
import type { AgentMachine } from '../../agents/machine.ts';
import type { Call } from '../handler.ts';
import type { ServerParts } from '../parts.ts';

/** Reads the caller's files. */
export type FileReader = Pick<RunnerClient, 'file'>;

/**
 * The reader of the calling agent's files. Throws FAILED_PRECONDITION for a person and for an ended agent, and
 * UNAVAILABLE when the machine is gone or has no runner.
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
  throw new MurmurError('UNAVAILABLE', `the runner on machine ${on.name} did not answer; the file was not read`, {
    hint: 'try again in a moment: a machine that is lost is replaced',
    details: { field, machine: on.name },
  });
}

/** Also false when the machine is gone or does not answer. */
async function hasRunner({ name, provider }: AgentMachine): Promise<boolean> {
  try {
    await using machine = await provider.connect(name);
    return (await findRunner(machine)) !== undefined;
  } catch (error) {
    if (error instanceof MurmurError && ['NOT_FOUND', 'UNAVAILABLE'].includes(error.code)) return false;
    throw error;
  }
}

/** Holds the connection while the file is read. */
async function* readOver(
  { name, provider }: AgentMachine,
  file: FileRequest,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  await using machine = await provider.connect(name);
  const runner = await recordedRunner(machine);
  if (runner === undefined) throw new MurmurError('UNAVAILABLE', `the runner on machine ${name} has ended`);
  yield* runner.file(file, signal);
}

/** Limits of a read. */
export interface FileBounds {
  readonly call: Pick<Call, 'signal'>;
  readonly timing: Pick<ServerParts['timing'], 'uploadSilence' | 'uploadArrival'>;
  readonly bytes: number;
  /** The error for a larger file. */
  readonly tooLarge: () => MurmurError;
}

/**
 * The pieces of a file. Throws `tooLarge` as soon as the file exceeds `bytes`, the runner's error, and the reason of
 * the call's signal. Throws UNAVAILABLE when the stream breaks off, stalls or takes too long. The reading ends with the
 * loop.
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
      // Stops the timer while the consumer works: only the machine's silence counts.
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

/** The content of a small file. Throws as `machineFile` does. */
export async function readMachineFile(reader: FileReader, file: FileRequest, bounds: FileBounds): Promise<Buffer> {
  return await buffer(machineFile(reader, file, bounds));
}
