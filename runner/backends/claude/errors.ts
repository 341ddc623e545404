// Derives a turn's error from the program's result. The program reports a failed model request as a *successful* result
// with `is_error`. Its text is the best message. Pure.
import type { ModelErrorKind, TurnError } from '../../../contract/wire/turns.ts';
import { kindOfStatus, turnError } from '../model-errors.ts';
import type { ApiRetryMessage, ResultMessage } from './protocol.ts';

/** What the program reported before the result. */
export interface FailureSigns {
  /** `error` of the program's last message about a failed request. */
  readonly category?: string | undefined;
  /** The last retry that the program announced. */
  readonly retry?: ApiRetryMessage | undefined;
  /** When a subscription's limit ends, in milliseconds since the epoch. */
  readonly limitEndsAt?: number | undefined;
}

/**
 * The program gives up at once when a `retry-after` is too long for it, and does not report the value. A minute is the
 * shortest period of rate limits.
 */
const DEFAULT_RETRY_AFTER_MS = 60_000;

/** The error of a result with `is_error`. `now` in milliseconds since the epoch. */
export function errorOf(result: ResultMessage, signs: FailureSigns, now: number): TurnError {
  const kind = kindOf(result, signs);
  const words = result.result ?? result.errors?.join('; ') ?? '';
  const message = words.trim() === '' ? `the program ended the turn with ${result.subtype}` : words.trim();
  return turnError(kind, message, kind === 'rate_limit' ? retryAfter(signs, now) : undefined);
}

/** The error of a turn that the runner ends because the server rejects the credentials: retries cannot help. */
export function refusedCredentials(retry: ApiRetryMessage): TurnError {
  return turnError('authentication', `the model server refused the credentials (401 ${retry.error})`);
}

function kindOf(result: ResultMessage, { category }: FailureSigns): ModelErrorKind {
  const words = result.result ?? '';
  if (result.terminal_reason === 'prompt_too_long' || /^prompt is too long/i.test(words)) return 'context_too_long';
  if (category === 'billing_error') return 'billing';
  if (category === 'model_not_found') return 'model_not_found';
  const status = result.api_error_status ?? undefined;
  if (status !== undefined) return kindOfStatus(status) ?? 'unknown';
  if (/not logged in|\/login/i.test(words)) return 'no_credentials';
  if (category === 'authentication_failed') return 'authentication';
  if (result.api_error_type === 'overloaded_error' || category === 'overloaded') return 'overloaded';
  if (category === 'rate_limit') return 'rate_limit';
  // No status: there was no HTTP answer, or it broke off.
  if (category === 'server_error' || /connection|timed? ?out|ECONN|ENOTFOUND|socket|network/i.test(words)) {
    return 'connection';
  }
  return result.subtype === 'error_during_execution' ? 'program' : 'unknown';
}

function retryAfter({ retry, limitEndsAt }: FailureSigns, now: number): number | undefined {
  if (limitEndsAt !== undefined && limitEndsAt > now) return limitEndsAt - now;
  return retry === undefined ? DEFAULT_RETRY_AFTER_MS : undefined;
}
