// Ends running calls and used links when their token becomes invalid. Polls with one timer, because other processes may
// delete tokens without a notification.
import type { ServerResponse } from 'node:http';
import { MurmurError } from '../contract/wire/errors.ts';
import type { TokenEntry } from '../contract/wire/tokens.ts';
import type { Tokens } from './parts.ts';

/** A token and the calls and links that end with it. */
interface Watched {
  /** Looks up the token; undefined once it is revoked or replaced. */
  readonly find: () => Promise<TokenEntry | undefined>;
  readonly dependents: Set<AbortController>;
  /** The entry at the last check; undefined before the first check of a token that is known by name. */
  entry: TokenEntry | undefined;
  /** Version of the tokens at the last check; absent before the first one. */
  checked?: string;
}

export class TokenWatch {
  readonly #tokens: Tokens;
  readonly #intervalMs: number;
  readonly #watched = new Map<string, Watched>();
  #timer: NodeJS.Timeout | undefined;

  /** Checks the tokens in use once per interval. Without tokens in use, there is no timer. */
  constructor(tokens: Tokens, intervalMs: number) {
    this.#tokens = tokens;
    this.#intervalMs = intervalMs;
  }

  /** A signal that aborts with UNAUTHENTICATED when the token is revoked or expires before the answer ends. */
  watch(token: string, entry: TokenEntry, answer: ServerResponse): AbortSignal {
    const call = new AbortController();
    const end = this.#add(`token ${token}`, entry, () => this.#tokens.identify(token), call);
    answer.once('close', end);
    return call.signal;
  }

  /**
   * The same for a link, by the name of the token that requested it (`tokenName`). Ends when `over` aborts.
   */
  watchNamed(name: string, over: AbortSignal): AbortSignal {
    const link = new AbortController();
    if (over.aborted) return link.signal;
    const end = this.#add(`name ${name}`, undefined, () => this.#tokens.named(name), link);
    over.addEventListener('abort', end, { once: true });
    return link.signal;
  }

  /** Returns the function that ends the watch for this dependent. */
  #add(key: string, entry: TokenEntry | undefined, find: Watched['find'], dependent: AbortController): () => void {
    const watched = this.#watched.get(key) ?? { find, entry, dependents: new Set() };
    this.#watched.set(key, watched);
    watched.dependents.add(dependent);
    this.#timer ??= this.#later();
    return () => {
      watched.dependents.delete(dependent);
      if (watched.dependents.size === 0 && this.#watched.get(key) === watched) this.#watched.delete(key);
    };
  }

  #later(): NodeJS.Timeout {
    return setTimeout(() => void this.#check(), this.#intervalMs).unref();
  }

  async #check(): Promise<void> {
    try {
      // Read before the checks, so that the next round sees later changes.
      const version = await this.#tokens.version();
      await Promise.all([...this.#watched].map(([key, watched]) => this.#checkOne(key, watched, version)));
    } catch {
      // A failed read does not make tokens invalid.
    }
    this.#timer = this.#watched.size === 0 ? undefined : this.#later();
  }

  async #checkOne(key: string, watched: Watched, version: string): Promise<void> {
    let problem = watched.entry === undefined ? undefined : expiry(watched.entry);
    if (problem === undefined && watched.checked !== version) {
      watched.entry = await watched.find();
      watched.checked = version;
      problem = watched.entry === undefined ? revoked() : expiry(watched.entry);
    }
    if (problem === undefined) return;
    if (this.#watched.get(key) === watched) this.#watched.delete(key);
    for (const dependent of watched.dependents) dependent.abort(problem);
  }
}

function revoked(): MurmurError {
  return new MurmurError('UNAUTHENTICATED', 'the token was revoked while the call was under way');
}

/** UNAUTHENTICATED for an expired entry. */
export function expiry({ expires_at: end }: TokenEntry): MurmurError | undefined {
  if (end === undefined || Date.parse(end) > Date.now()) return undefined;
  return new MurmurError('UNAUTHENTICATED', `the token has expired at ${end}`);
}

/** The result of the work. Throws the signal's reason as soon as it aborts. The work itself continues. */
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
