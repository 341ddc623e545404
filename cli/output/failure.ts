// Reports the failure of a command: one message, one hint, and the exit status of the error table.
import { ERRORS, MurmurError, type ErrorCode } from '../../contract/wire/errors.ts';
import type { Terminal } from './terminal.ts';

/** The reason of the context's abort signal when the process gets a signal. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  /** 128 plus the signal's number, as in a shell. */
  readonly exit: number;
  readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP';

  constructor(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') {
    super(`ended by ${signal}`);
    this.signal = signal;
    this.exit = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal];
  }
}

/** Another program ran instead of the command. Its exit status becomes the command's. */
export class ProgramExit extends Error {
  override readonly name = 'ProgramExit';
  readonly exit: number;

  constructor(exit: number) {
    super(`ended with ${exit.toString()}`);
    this.exit = exit;
  }
}

/** The failure is printed already; only the exit status is missing. */
export class AlreadyReported extends Error {
  override readonly name = 'AlreadyReported';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Prints the error and returns the exit status. With `json`, the error is the result on stdout. */
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
