// The owner's credentials for http repositories. They come from `git credential` as the owner, stay in memory for the
// session, and are never given to the agent.
import { MurmurError } from '../../../contract/wire/errors.ts';
import type { ChildOutput } from '../../child-output.ts';
import type { CallerGit } from '../../git/caller-git.ts';
import type { HttpUpstream } from '../access.ts';

/** The owner's helper may use a key store or the network, or ask the owner to confirm. */
const HELPER_TIMEOUT_MS = 60_000;
/** Tokens of forges are at least this long; few user names are. */
const TOKEN_LENGTH = 20;

export interface Authorization {
  /** Value of the `Authorization` header. */
  readonly header: string;
  /** Output of `git credential fill`, to be passed back unchanged; undefined for credentials of a URL. */
  readonly filled?: string;
}

export class HttpCredentials {
  readonly #git: CallerGit;
  readonly #onSecret: (secret: string) => void;
  readonly #known = new Map<string, Authorization>();
  readonly #filling = new Map<string, Promise<Authorization | undefined>>();
  /** Credentials that were approved to the helper. */
  readonly #approved = new Set<string>();
  /** Reports to the helper that are in progress. */
  #reports: Promise<unknown> = Promise.resolve();
  /** Repositories whose server rejects the credentials of their URL. */
  readonly #refused = new Set<string>();

  /** `onSecret` receives every password and token before its use, so that it is scrubbed from the journal. */
  constructor(git: CallerGit, onSecret: (secret: string) => void) {
    this.#git = git;
    this.#onSecret = onSecret;
  }

  /** The credentials that worked in this session, else those of the owner's URL. */
  known({ url, credential }: HttpUpstream): Authorization | undefined {
    const known = this.#known.get(url);
    if (known !== undefined || credential === undefined || credential.password === '') return known;
    if (this.#refused.has(url)) return undefined;
    return { header: this.#basic(credential.username, credential.password) };
  }

  /**
   * Asks the owner's git; concurrent requests share one question. `challenges` are the values of `WWW-Authenticate`.
   */
  async fill(upstream: HttpUpstream, challenges: readonly string[]): Promise<Authorization | undefined> {
    const { url } = upstream;
    const filling = this.#filling.get(url) ?? this.#fill(upstream, challenges);
    this.#filling.set(url, filling);
    try {
      return await filling;
    } finally {
      this.#filling.delete(url);
    }
  }

  /** The server has accepted the credentials: keeps them for the session and approves them to the owner's helper. */
  approve({ url }: HttpUpstream, authorization: Authorization): void {
    this.#known.set(url, authorization);
    const { filled } = authorization;
    if (filled === undefined || this.#approved.has(filled)) return;
    this.#approved.add(filled);
    // Not awaited: a hanging helper must not delay a successful request.
    void this.#report('approve', filled);
  }

  /** The server no longer accepts the known credentials, or rejects those of the URL. */
  forget({ url }: HttpUpstream): void {
    this.#known.delete(url);
    this.#refused.add(url);
  }

  /** The server has rejected the helper's credentials: the broker forgets them and rejects them to the helper. */
  async reject(upstream: HttpUpstream, { filled }: Authorization): Promise<void> {
    this.forget(upstream);
    if (filled !== undefined) await this.#report('reject', filled);
  }

  async #fill({ url, credential }: HttpUpstream, challenges: readonly string[]): Promise<Authorization | undefined> {
    const { protocol, host, pathname } = new URL(url);
    const fields = [
      'capability[]=authtype',
      `protocol=${protocol.slice(0, -1)}`,
      `host=${host}`,
      // The owner's `credential.useHttpPath` decides whether git uses the path.
      `path=${pathname.slice(1)}`,
      ...(credential?.username ? [`username=${credential.username}`] : []),
      ...challenges.map((challenge) => `wwwauth[]=${challenge}`),
    ];
    const input = `${fields.filter(isField).join('\n')}\n\n`;
    const { code, stdout } = await this.#ask(input);
    if (code !== 0) return undefined;
    const lines = stdout.toString('utf8').split('\n').filter(isField);
    const of = (name: string): string | undefined =>
      lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1);
    const [type, token, username, password] = ['authtype', 'credential', 'username', 'password'].map(of);
    const filled = `${lines.join('\n')}\n\n`;
    if (type !== undefined && token !== undefined) {
      this.#onSecret(token);
      return { header: `${type} ${token}`, filled };
    }
    if (username === undefined || password === undefined) return undefined;
    return { header: this.#basic(username, password), filled };
  }

  async #ask(input: string): Promise<ChildOutput> {
    try {
      return await this.#git.run(['credential', 'fill'], { timeoutMs: HELPER_TIMEOUT_MS, input });
    } catch (error) {
      if (!(error instanceof MurmurError) || error.code !== 'DEADLINE_EXCEEDED') throw error;
      const limit = `${String(HELPER_TIMEOUT_MS / 1_000)} s`;
      throw new MurmurError(error.code, `the owner's credential helper did not answer within ${limit}`, {
        cause: error,
      });
    }
  }

  /** Serialized, so that the last verdict wins. Never rejects: a helper may fail. */
  #report(verdict: 'approve' | 'reject', input: string): Promise<unknown> {
    const run = () => this.#git.run(['credential', verdict], { timeoutMs: HELPER_TIMEOUT_MS, input });
    this.#reports = this.#reports.then(run).catch(() => undefined);
    return this.#reports;
  }

  #basic(username: string, password: string): string {
    this.#onSecret(password);
    // Some forges accept a token as the user name.
    if (username.length >= TOKEN_LENGTH) this.#onSecret(username);
    const encoded = Buffer.from(`${username}:${password}`).toString('base64');
    this.#onSecret(encoded);
    return `Basic ${encoded}`;
  }
}

/** Drops lines with a carriage return or NUL: helpers treat them differently. */
function isField(line: string): boolean {
  return line !== '' && !/[\r\n\0]/.test(line);
}
