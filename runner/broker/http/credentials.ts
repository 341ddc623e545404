// The owner's credentials for http repositories: asked of the owner's git as git itself does, kept in memory for the
// session, never given to the agent.
import { MurmurError } from '../../../contract/wire/errors.ts';
import type { ChildOutput } from '../../child-output.ts';
import type { CallerGit } from '../../git/caller-git.ts';
import type { HttpUpstream } from '../access.ts';

/** A helper of the owner may ask a key store or the network; somebody may have to confirm. */
const HELPER_TIMEOUT_MS = 60_000;
/** No forge makes a shorter token; few people have a longer name. */
const TOKEN_LENGTH = 20;

export interface Authorization {
  /** Value of the `Authorization` header. */
  readonly header: string;
  /** What `git credential` said, to be handed back as it is; undefined for credentials of a URL. */
  readonly filled?: string;
}

export class HttpCredentials {
  readonly #git: CallerGit;
  readonly #onSecret: (secret: string) => void;
  readonly #known = new Map<string, Authorization>();
  readonly #filling = new Map<string, Promise<Authorization | undefined>>();
  /** What the helper has been told to keep. */
  readonly #approved = new Set<string>();
  /** What the helper is still being told. */
  #reports: Promise<unknown> = Promise.resolve();
  /** Repositories whose URL carries credentials that the server refuses. */
  readonly #refused = new Set<string>();

  /** `onSecret` hears every password and token before it is used, so that it can be scrubbed. */
  constructor(git: CallerGit, onSecret: (secret: string) => void) {
    this.#git = git;
    this.#onSecret = onSecret;
  }

  /** What has served the repository in this session, else what the URL of the owner's git carries. */
  known({ url, credential }: HttpUpstream): Authorization | undefined {
    const known = this.#known.get(url);
    if (known !== undefined || credential === undefined || credential.password === '') return known;
    if (this.#refused.has(url)) return undefined;
    return { header: this.#basic(credential.username, credential.password) };
  }

  /** Asks the owner's git, once for all requests that wait. `challenges` are the values of `WWW-Authenticate`. */
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

  /** The server has taken them: they serve the rest of the session, and the owner's helper may keep them. */
  approve({ url }: HttpUpstream, authorization: Authorization): void {
    this.#known.set(url, authorization);
    const { filled } = authorization;
    if (filled === undefined || this.#approved.has(filled)) return;
    this.#approved.add(filled);
    // Not awaited: a helper that hangs must not hold up a request that has succeeded.
    void this.#report('approve', filled);
  }

  /** The server does not take what has served so far, or what the URL carries. */
  forget({ url }: HttpUpstream): void {
    this.#known.delete(url);
    this.#refused.add(url);
  }

  /** The server has refused what the helper has: neither the broker nor the helper keeps it. */
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
      // The owner's configuration decides whether the path counts.
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

  /** One after the other, so that the helper keeps the last verdict. Never rejects: a helper may fail. */
  #report(verdict: 'approve' | 'reject', input: string): Promise<unknown> {
    const run = () => this.#git.run(['credential', verdict], { timeoutMs: HELPER_TIMEOUT_MS, input });
    this.#reports = this.#reports.then(run).catch(() => undefined);
    return this.#reports;
  }

  #basic(username: string, password: string): string {
    this.#onSecret(password);
    // A token can stand in the place of the user.
    if (username.length >= TOKEN_LENGTH) this.#onSecret(username);
    const encoded = Buffer.from(`${username}:${password}`).toString('base64');
    this.#onSecret(encoded);
    return `Basic ${encoded}`;
  }
}

/** A line with a carriage return or NUL is dropped, since helpers disagree about it. */
function isField(line: string): boolean {
  return line !== '' && !/[\r\n\0]/.test(line);
}
