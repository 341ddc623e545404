// Advice for model errors, and whether a retry can help. Shared by all backends. Imports contract/wire only.
import type { ModelErrorKind, TurnError } from '../../contract/wire/turns.ts';

interface ErrorAdvice {
  readonly action: string;
  readonly retryable: boolean;
}

const RESTART = 'then restart with `murmur down` and `murmur up` and send a follow-up';

const ADVICE: Readonly<Record<ModelErrorKind, ErrorAdvice>> = {
  no_credentials: {
    action: `set ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN, ${RESTART}`,
    retryable: false,
  },
  authentication: {
    action: `put a valid key into ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN, ${RESTART}`,
    retryable: false,
  },
  permission: {
    action: `use a key that may use this model, ${RESTART}`,
    retryable: false,
  },
  billing: { action: "add credit to the key's account, then send a follow-up", retryable: false },
  rate_limit: { action: "wait for the automatic retry, or raise the account's rate limit", retryable: true },
  overloaded: { action: 'wait for the automatic retry', retryable: true },
  server_error: { action: 'wait for the automatic retry', retryable: true },
  connection: {
    action: 'check the network, the proxy and ANTHROPIC_BASE_URL; there is an automatic retry',
    retryable: true,
  },
  context_too_long: {
    action: 'send a shorter follow-up, or spawn a new agent for the rest of the task',
    retryable: false,
  },
  invalid_request: {
    action: 'send a follow-up that avoids what was refused, or spawn a new agent',
    retryable: false,
  },
  model_not_found: { action: 'spawn an agent with a model that exists and that the key may use', retryable: false },
  program: {
    action: 'wait: the session resumes automatically; if it keeps ending, look at its last events',
    retryable: true,
  },
  unknown: { action: 'look at the message, then send a follow-up to continue', retryable: false },
};

/** A turn error of this kind with its advice. `message` is the program's text. */
export function turnError(kind: ModelErrorKind, message: string, retryAfterMs?: number): TurnError {
  return {
    kind,
    message: message.toWellFormed(),
    ...ADVICE[kind],
    ...(retryAfterMs === undefined ? {} : { retry_after_ms: Math.max(0, Math.round(retryAfterMs)) }),
  };
}

/** The kind of a failed model request by its HTTP status; undefined for an unspecific status. */
export function kindOfStatus(status: number): ModelErrorKind | undefined {
  if (status === 401) return 'authentication';
  if (status === 402) return 'billing';
  if (status === 403) return 'permission';
  if (status === 404) return 'model_not_found';
  if (status === 413) return 'context_too_long';
  if (status === 429) return 'rate_limit';
  if (status === 529) return 'overloaded';
  if (status >= 500) return 'server_error';
  return status >= 400 ? 'invalid_request' : undefined;
}
