// Resolves a configured host with the owner's ssh configuration.
import { access } from 'node:fs/promises';
import { execa } from 'execa';
import type { SshHostSettings } from '../../../config/environment-settings.ts';
import { MurmurError } from '../../../contract/wire/errors.ts';
import type { SshTarget } from './connection.ts';
import { readHostKey, type HostKey } from './host-key.ts';
import { directTransport, jumpTransport } from './transport.ts';

/** Neither program uses the network. */
const LIMIT_MS = 10_000;

/**
 * How to reach the host: `ssh -G` evaluates the owner's configuration, `ssh-keygen -F` finds the host's known keys.
 * Throws FAILED_PRECONDITION when no key of the host is pinned.
 * @param env the owner's environment: HOME and the socket of the ssh agent
 */
export async function resolveHost(
  settings: SshHostSettings,
  env: Readonly<Record<string, string | undefined>>,
): Promise<SshTarget> {
  const { host } = settings;
  const words = [
    ...(settings.user === undefined ? [] : ['-l', settings.user]),
    ...(settings.port === undefined ? [] : ['-p', String(settings.port)]),
  ];
  const found = configuration(await run('ssh', ['-G', ...words, '--', host], env));
  const first = (name: string): string | undefined => found.get(name)?.[0];
  const name = first('hostname') ?? host;
  const port = Number(first('port') ?? 22);
  const jump = settings.jump ?? first('proxyjump');
  const command = first('proxycommand');
  if (jump === undefined && command !== undefined && command !== 'none') {
    throw new MurmurError('FAILED_PRECONDITION', `host ${host} is reached by a ProxyCommand, which is not supported`, {
      hint: `use ProxyJump in your ssh configuration, or write jump for ${host} in murmur.yaml`,
      details: { host, command },
    });
  }
  const agent = env['SSH_AUTH_SOCK'];
  const keyFile = settings.key_file ?? (agent ? undefined : await firstFile(found.get('identityfile') ?? [], env));
  return {
    host,
    user: settings.user ?? first('user') ?? 'root',
    transport:
      jump === undefined || jump === 'none' ? directTransport(name, port) : jumpTransport(jump, name, port, env),
    hostKeys: await pinnedKeys(settings, first('hostkeyalias') ?? knownAs(name, port), found, env),
    ...(keyFile === undefined ? {} : { keyFile }),
    ...(agent ? { agent } : {}),
  };
}

async function pinnedKeys(
  { host, host_key: written }: SshHostSettings,
  name: string,
  found: ReadonlyMap<string, readonly string[]>,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly HostKey[]> {
  if (written !== undefined) {
    const key = readHostKey(written);
    if (key !== undefined) return [key];
    throw new MurmurError('FAILED_PRECONDITION', `host_key of host ${host} is not a public key: ${written}`, {
      hint: 'copy the first two words of /etc/ssh/ssh_host_ed25519_key.pub from the host',
    });
  }
  const files = [...(found.get('userknownhostsfile') ?? []), ...(found.get('globalknownhostsfile') ?? [])]
    .flatMap((paths) => paths.split(' '))
    .map((path) => homed(path, env));
  const lists = await Promise.all(
    files.map(async (file) => ((await exists(file)) ? await run('ssh-keygen', ['-F', name, '-f', file], env) : '')),
  );
  const keys = lists.flatMap((list) => list.split('\n')).flatMap((line) => knownKey(line) ?? []);
  if (keys.length > 0) return keys;
  throw new MurmurError('FAILED_PRECONDITION', `no key is known for host ${host}`, {
    hint: `log in once with \`ssh ${host}\` and compare the key, or write host_key for it in murmur.yaml`,
    details: { host },
  });
}

/** The key in a line of known_hosts. A line with a marker, such as for a certificate authority, pins no key. */
function knownKey(line: string): HostKey | undefined {
  if (line.startsWith('#') || line.startsWith('@')) return undefined;
  return readHostKey(line.split(' ').slice(1, 3).join(' '));
}

/** The host's name in known_hosts, which includes a port other than 22. */
function knownAs(name: string, port: number): string {
  return port === 22 ? name : `[${name}]:${String(port)}`;
}

/** Parses `name value` lines. Some names occur several times. */
function configuration(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space === -1) continue;
    const name = line.slice(0, space);
    found.set(name, [...(found.get(name) ?? []), line.slice(space + 1)]);
  }
  return found;
}

async function firstFile(
  paths: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  for (const path of paths.map((each) => homed(each, env))) if (await exists(path)) return path;
  return undefined;
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

function homed(path: string, env: Readonly<Record<string, string | undefined>>): string {
  return path.replace(/^~(?=\/)/, () => env['HOME'] ?? '~');
}

/** The program's output. `ssh-keygen -F` exits with 1 when it finds nothing. */
async function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const result = await execa(program, [...args], { env, extendEnv: false, timeout: LIMIT_MS, reject: false });
  if (result.exitCode === 0 || (program === 'ssh-keygen' && result.exitCode === 1)) return result.stdout;
  const why = result.exitCode === undefined ? result.shortMessage : result.stderr;
  throw new MurmurError('FAILED_PRECONDITION', `${program} ${args.join(' ')} failed: ${why}`, {
    hint: 'install an ssh client, or correct its configuration',
  });
}
