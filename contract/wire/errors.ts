// The one error table and the one error class. Loaded by the workflow sandbox: no imports.

/** Everything that depends on an error code, in one row per code. A code without a column does not compile. */
interface ErrorRow {
  /** Meaning of the code, for the reference pages. */
  readonly meaning: string;
  /** Exit status of the CLI. */
  readonly exit: number;
  /** Status of the HTTP answer. */
  readonly http: number;
  /** Whether Temporal retries an activity that failed with it. */
  readonly retryable: boolean;
  /** What the caller can do next, if the error has no hint of its own. */
  readonly hint?: string;
}

/** The codes are gRPC's, as on the product pages. Exit status 2 is oclif's for a usage error. */
export const ERRORS = {
  INVALID_ARGUMENT: { meaning: 'The input is wrong.', exit: 2, http: 400, retryable: false },
  UNAUTHENTICATED: {
    meaning: 'The token is missing, wrong or expired.',
    exit: 3,
    http: 401,
    retryable: false,
    hint: 'run `murmur auth`',
  },
  PERMISSION_DENIED: { meaning: 'The caller may not do this.', exit: 3, http: 403, retryable: false },
  NOT_FOUND: {
    meaning: 'No such agent, task, repository or file.',
    exit: 4,
    http: 404,
    retryable: false,
    hint: 'list agents with `murmur ls`',
  },
  ALREADY_EXISTS: { meaning: 'It exists and is running.', exit: 5, http: 409, retryable: false },
  FAILED_PRECONDITION: { meaning: 'The agent is not in a state for this.', exit: 6, http: 409, retryable: false },
  RESOURCE_EXHAUSTED: { meaning: 'A limit or quota is used up.', exit: 7, http: 429, retryable: true },
  DEADLINE_EXCEEDED: {
    meaning: 'It did not end in time and may still be running.',
    exit: 8,
    http: 504,
    retryable: true,
  },
  UNAVAILABLE: { meaning: 'A part of Murmur cannot be reached.', exit: 9, http: 503, retryable: true },
  INTERNAL: { meaning: 'A defect of Murmur.', exit: 1, http: 500, retryable: true },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

/** Whether the text is one of the codes of the table. */
export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === 'string' && Object.hasOwn(ERRORS, text);
}

/** An error in plain form: the body of an HTTP error, or the details of a Temporal failure. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface MurmurErrorOptions {
  /** What to do next: "run `murmur up`". */
  readonly hint?: string | undefined;
  /** Facts for programs: the resolved path, the field, the limit. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

/** Murmur's only error class. Callers decide by the code, which crosses process boundaries; there are no subclasses. */
export class MurmurError extends Error {
  override readonly name = 'MurmurError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: MurmurErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    const row: ErrorRow = ERRORS[code];
    this.hint = options.hint ?? row.hint;
    this.details = options.details;
  }

  /** The plain form; `fromBody` is the inverse. */
  toBody(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }

  static fromBody(body: ErrorBody, cause?: unknown): MurmurError {
    return new MurmurError(body.code, body.message, { hint: body.hint, details: body.details, cause });
  }
}
