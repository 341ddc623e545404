// How a command that fails ends: one message, one hint, the exit status of the error table.
import { ERRORS, MurmurError, type ErrorCode } from '../../contract/wire/errors.ts';
import type { Terminal } from './terminal.ts';

/** Why everything ends when a signal arrives; the reason of the context's abort signal. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  /** 128 and the signal's number, as a shell counts. */
  readonly exit: number;
  readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP';

  constructor(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') {
    super(`ended by ${signal}`);
    this.signal = signal;
    this.exit = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal];
  }
}

/** Another program ran in the command's place: its exit status is the command's. */
export class ProgramExit extends Error {
  override readonly name = 'ProgramExit';
  readonly exit: number;

  constructor(exit: number) {
    super(`ended with ${exit.toString()}`);
    this.exit = exit;
  }
}

/** The result says it all: only the exit status is missing. */
export class AlreadyReported extends Error {
  override readonly name = 'AlreadyReported';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Prints what went wrong and returns the exit status. With `json` the error is the result, on stdout. */
export function reportFailure(
  error: unknown,
  terminal: Terminal,
  options: { readonly json: boolean; readonly debug: boolean },
): number {
  if (error instanceof Interrupted || error instanceof ProgramExit) return error.exit;
  if (error instanceof AlreadyReported) return ERRORS[error.code].exit;
  const known = asMurmurError(error);
  if (options.json) terminal.json({ error: known.toBody() });
  else {
    terminal.complain(`murmur: ${known.message}`, 'red');
    if (known.hint !== undefined) terminal.complain(`hint: ${known.hint}`);
  }
  if (options.debug) terminal.complain(stackOf(error));
  else if (known.code === 'INTERNAL') terminal.complain('hint: run it again with --debug for the stack trace');
  return ERRORS[known.code].exit;
}

function asMurmurError(error: unknown): MurmurError {
  if (error instanceof MurmurError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new MurmurError('INTERNAL', message, { cause: error });
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
