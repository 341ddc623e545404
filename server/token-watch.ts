// Ends calls that are under way when their token is no longer valid. One timer serves all calls: a token may be deleted by
// another process, which tells nobody.
import type { ServerResponse } from 'node:http';
import { MurmurError } from '../contract/wire/errors.ts';
import type { TokenEntry } from '../contract/wire/tokens.ts';
import type { Tokens } from './parts.ts';

/** The calls that one bearer has under way. */
interface Bearer {
  readonly token: string;
  readonly entry: TokenEntry;
  readonly calls: Set<AbortController>;
  /** Version of the tokens at which the bearer was last looked up; absent before the first look. */
  checked?: string;
}

export class TokenWatch {
  readonly #tokens: Tokens;
  readonly #intervalMs: number;
  readonly #bearers = new Map<string, Bearer>();
  #timer: NodeJS.Timeout | undefined;

  /** Looks at the tokens of running calls once in the interval, and at none while no call runs. */
  constructor(tokens: Tokens, intervalMs: number) {
    this.#tokens = tokens;
    this.#intervalMs = intervalMs;
  }

  /** A signal that aborts with UNAUTHENTICATED when the token has been revoked or has expired before the answer's end. */
  watch(token: string, entry: TokenEntry, answer: ServerResponse): AbortSignal {
    const call = new AbortController();
    const bearer = this.#bearers.get(token) ?? { token, entry, calls: new Set() };
    this.#bearers.set(token, bearer);
    bearer.calls.add(call);
    answer.once('close', () => {
      bearer.calls.delete(call);
      if (bearer.calls.size === 0 && this.#bearers.get(token) === bearer) this.#bearers.delete(token);
    });
    this.#timer ??= this.#later();
    return call.signal;
  }

  #later(): NodeJS.Timeout {
    return setTimeout(() => void this.#check(), this.#intervalMs).unref();
  }

  async #check(): Promise<void> {
    try {
      // Before the looks: what changes after it is seen at the next one.
      const version = await this.#tokens.version();
      await Promise.all([...this.#bearers.values()].map((bearer) => this.#checkBearer(bearer, version)));
    } catch {
      // Tokens that cannot be read now tell nothing about a call that was let in before.
    }
    this.#timer = this.#bearers.size === 0 ? undefined : this.#later();
  }

  async #checkBearer(bearer: Bearer, version: string): Promise<void> {
    const problem = expiry(bearer.entry) ?? (bearer.checked === version ? undefined : await this.#refusal(bearer));
    if (problem === undefined) {
      bearer.checked = version;
      return;
    }
    if (this.#bearers.get(bearer.token) === bearer) this.#bearers.delete(bearer.token);
    for (const call of bearer.calls) call.abort(problem);
  }

  async #refusal({ token }: Bearer): Promise<MurmurError | undefined> {
    if ((await this.#tokens.identify(token)) !== undefined) return undefined;
    return new MurmurError('UNAUTHENTICATED', 'the token was revoked while the call was under way');
  }
}

/** UNAUTHENTICATED for an entry whose time is over. */
export function expiry({ expires_at: end }: TokenEntry): MurmurError | undefined {
  if (end === undefined || Date.parse(end) > Date.now()) return undefined;
  return new MurmurError('UNAUTHENTICATED', `the token has expired at ${end}`);
}

/** The result of the work. Throws the signal's reason as soon as it aborts; the work is left to end by itself. */
export async function unlessRevoked<T>(revoked: AbortSignal, work: Promise<T>): Promise<T> {
  const refused = Promise.withResolvers<never>();
  const refuse = (): void => refused.reject(revoked.reason as MurmurError);
  if (revoked.aborted) refuse();
  revoked.addEventListener('abort', refuse, { once: true });
  try {
    return await Promise.race([work, refused.promise]);
  } finally {
    revoked.removeEventListener('abort', refuse);
  }
}
