// `environment` in MURMUR_HOME/murmur.yaml: where agents run.
import { isAbsolute } from 'node:path';
import { refusedFile } from './yaml-file.ts';

/** A host of the provider `ssh`. Missing values come from the owner's ssh configuration. */
export interface SshHostSettings {
  /** A host name in the owner's ssh configuration, or an address. */
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
  /** Absolute path of a private key without a passphrase. When absent, the ssh agent is used. */
  readonly key_file?: string;
  /** `<type> <base64>` of the host's public key; looked up in the known hosts when absent. */
  readonly host_key?: string;
  /** Jump host, in the form of `ssh -J`. */
  readonly jump?: string;
  /** Absolute path of Node on the host, if it is not found automatically. */
  readonly node?: string;
}

/** `local`: machines are directories of this host. */
export type EnvironmentSettings =
  | { readonly provider: 'local' }
  | { readonly provider: 'ssh'; readonly hosts: readonly SshHostSettings[] };

const TEXTS = ['host', 'user', 'key_file', 'host_key', 'jump', 'node'] as const;
const HOST_KEYS: readonly string[] = [...TEXTS, 'port'];
const HINT =
  'write `environment: {provider: ssh, hosts: [{host: build-1}]}`; a host may have user, port, key_file, host_key, jump and node';
/** Host names, addresses and user names. Excludes texts that ssh could parse as an option. */
const NAME = /^[A-Za-z0-9_[][A-Za-z0-9_.:@%[\]-]*$/;

/**
 * The validated value of the key; `local` when it is absent. Throws INVALID_ARGUMENT that names file, key and value.
 * @param userHome replaces `~` in paths
 */
export function environmentOf(file: string, value: unknown, userHome: string): EnvironmentSettings {
  if (value === undefined) return Object.freeze({ provider: 'local' });
  const refuse = (key: string, wrong: unknown, needs: string): Error =>
    refusedFile(file, `${key} is ${JSON.stringify(wrong)}: it needs ${needs}`, HINT, { key, value: wrong });
  if (!isMap(value)) throw refuse('environment', value, 'keys and values');
  const { provider, hosts, ...others } = value;
  const [stray] = Object.keys(others);
  if (stray !== undefined)
    throw refuse(`environment.${stray}`, others[stray], 'to be removed, because the key is unknown');
  if (provider === 'local' && hosts === undefined) return Object.freeze({ provider });
  if (provider !== 'ssh') throw refuse('environment.provider', provider, 'local or ssh');
  if (!Array.isArray(hosts) || hosts.length === 0) throw refuse('environment.hosts', hosts, 'a list of hosts');
  const checked = hosts.map((host: unknown, index) =>
    hostOf(host, userHome, (key, wrong, needs) => refuse(`environment.hosts[${String(index)}]${key}`, wrong, needs)),
  );
  const names = checked.map(({ host }) => host);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw refuse('environment.hosts', twice, 'to list each host once');
  return Object.freeze({ provider, hosts: Object.freeze(checked) });
}

function hostOf(
  value: unknown,
  userHome: string,
  refuse: (key: string, wrong: unknown, needs: string) => Error,
): SshHostSettings {
  if (!isMap(value)) throw refuse('', value, 'a host with its settings');
  for (const [key, each] of Object.entries(value)) {
    if (!HOST_KEYS.includes(key)) throw refuse(`.${key}`, each, 'to be removed, because the key is unknown');
    if (key !== 'port' && (typeof each !== 'string' || each === '')) throw refuse(`.${key}`, each, 'a text');
  }
  const { host, user, port, key_file: written, host_key, jump, node } = value as Partial<Record<string, string>>;
  if (!NAME.test(host ?? '')) throw refuse('.host', host, 'a name as ssh takes it');
  if (user !== undefined && !NAME.test(user)) throw refuse('.user', user, 'a name as ssh takes it');
  if (jump?.split(',').every((hop) => NAME.test(hop)) === false) {
    throw refuse('.jump', jump, 'a host to go through, or several with commas');
  }
  const number: unknown = port;
  if (number !== undefined && !(Number.isInteger(number) && Number(number) >= 1 && Number(number) <= 65_535)) {
    throw refuse('.port', number, 'a port from 1 to 65535');
  }
  const keyFile = written?.replace(/^~(?=\/)/, () => userHome);
  for (const [key, path] of Object.entries({ key_file: keyFile, node })) {
    if (path !== undefined && !isAbsolute(path)) throw refuse(`.${key}`, path, 'an absolute path');
  }
  if (host_key !== undefined && !/^[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( .*)?$/.test(host_key)) {
    throw refuse('.host_key', host_key, 'a public key as in /etc/ssh/ssh_host_ed25519_key.pub of the host');
  }
  const texts = { user, key_file: keyFile, host_key, jump, node };
  return Object.freeze({
    host: host ?? '',
    ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== undefined)),
    ...(number === undefined ? {} : { port: Number(number) }),
  });
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
