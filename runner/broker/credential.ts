// Git's credential protocol, answered with the caller's credentials.
import { createHash } from 'node:crypto';
import type { CallerGit } from '../git/caller-git.ts';
import type { BrokerAccess } from './access.ts';

/** A helper of the caller may ask a key store or the network; somebody may have to confirm. */
const HELPER_TIMEOUT_MS = 60_000;
/** What a request may say; everything else of the client's is dropped. */
const ASKED = ['protocol', 'host', 'path', 'username'];

type Fields = ReadonlyMap<string, string>;

export class CredentialBroker {
  readonly #git: CallerGit;
  readonly #access: BrokerAccess;
  readonly #onPassword: (password: string) => void;
  /** Digests of what was handed out: only that may be approved or rejected. */
  readonly #given = new Set<string>();

  /** `onPassword` hears each password that is handed to the agent, so that it can be scrubbed. */
  constructor(git: CallerGit, access: BrokerAccess, onPassword: (password: string) => void) {
    this.#git = git;
    this.#access = access;
    this.#onPassword = onPassword;
  }

  /** The answer to `get`, `store` or `erase` with this input; empty when there is nothing to give. */
  async answer(action: string, input: string): Promise<string> {
    const fields = parseFields(input);
    const protocol = fields.get('protocol') ?? '';
    const host = fields.get('host') ?? '';
    if (!this.#access.allowsHttp(protocol, host)) return '';
    if (action === 'get') return this.#get(fields, protocol, host);
    if (action === 'store') await this.#report('approve', fields);
    if (action === 'erase') await this.#report('reject', fields);
    return '';
  }

  async #get(fields: Fields, protocol: string, host: string): Promise<string> {
    const own = this.#access.credentialOf(protocol, host);
    const found = own ?? (await this.#fill(fields));
    if (found === undefined) return '';
    this.#given.add(digest(protocol, host, found.username, found.password));
    this.#onPassword(found.password);
    return `username=${found.username}\npassword=${found.password}\n`;
  }

  async #fill(fields: Fields): Promise<{ username: string; password: string } | undefined> {
    const input = formatFields([...fields].filter(([name]) => ASKED.includes(name)));
    const { code, stdout } = await this.#git.run(['credential', 'fill'], { timeoutMs: HELPER_TIMEOUT_MS, input });
    if (code !== 0) return undefined;
    const filled = parseFields(stdout.toString('utf8'));
    const [username, password] = [filled.get('username'), filled.get('password')];
    return username === undefined || password === undefined ? undefined : { username, password };
  }

  async #report(verdict: 'approve' | 'reject', fields: Fields): Promise<void> {
    const of = (name: string): string => fields.get(name) ?? '';
    // The agent must not plant or wipe a credential of the caller's.
    if (!this.#given.has(digest(of('protocol'), of('host'), of('username'), of('password')))) return;
    const input = formatFields([...fields].filter(([name]) => [...ASKED, 'password'].includes(name)));
    await this.#git.run(['credential', verdict], { timeoutMs: HELPER_TIMEOUT_MS, input });
  }
}

/** `name=value` lines; a line with a carriage return or NUL is dropped, since helpers disagree about it. */
function parseFields(text: string): Fields {
  const pairs = text
    .split('\n')
    .filter((line) => !/[\r\0]/.test(line))
    .map((line) => [line, line.indexOf('=')] as const)
    .filter(([, equals]) => equals > 0);
  return new Map(pairs.map(([line, equals]) => [line.slice(0, equals), line.slice(equals + 1)]));
}

function formatFields(fields: readonly (readonly [string, string])[]): string {
  return `${fields.map(([name, value]) => `${name}=${value}\n`).join('')}\n`;
}

function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}
