// Git's configuration and environment inside the isolation: the owner as author, and the broker instead of credentials.
import { hostname, userInfo } from 'node:os';
import { AGENT_FILE } from '../../contract/wire/agent-file.ts';
import type { ConfigEntry } from './caller-git.ts';
import { shellWord } from './config-file.ts';
import { withoutCredentials } from './rewrite.ts';

export interface BrokerScripts {
  readonly credential: string;
  readonly ssh: string;
}

/** Settings that the agent's git shares with the owner's. Large files need their filter on both sides. */
const SHARED = [
  'core.autocrlf',
  'core.eol',
  'filter.lfs.clean',
  'filter.lfs.process',
  'filter.lfs.required',
  'filter.lfs.smudge',
  'http.postbuffer',
  'http.version',
  'init.defaultbranch',
];

/**
 * The configuration of the agent's git (GIT_CONFIG_GLOBAL). It has the owner's author, a list of harmless settings, and
 * URL shortcuts without credentials. Credentials and ssh go through the broker. Every repository is marked as safe,
 * because the checkouts change their owner.
 */
export function agentGitConfig(
  caller: readonly ConfigEntry[],
  env: NodeJS.ProcessEnv,
  scripts: BrokerScripts,
): readonly ConfigEntry[] {
  const caFile = env['GIT_SSL_CAINFO'];
  return [
    { key: 'init.defaultbranch', value: 'main' },
    ...sharedGitConfig(caller, env),
    // As a variable it would go before the certificate of the broker.
    ...(caFile === undefined ? [] : [{ key: 'http.sslcainfo', value: caFile }]),
    // The empty helper forgets those of the system's configuration.
    { key: 'credential.helper', value: '' },
    { key: 'credential.helper', value: `!${shellWord(scripts.credential)}` },
    { key: 'core.sshcommand', value: shellWord(scripts.ssh) },
    { key: 'ssh.variant', value: 'ssh' },
    { key: 'safe.directory', value: '*' },
    { key: 'push.autosetupremote', value: 'true' },
    { key: 'advice.detachedhead', value: 'false' },
  ];
}

/** The part of the configuration that is the owner's: author, harmless settings, shortcuts. It holds no credential. */
export function sharedGitConfig(caller: readonly ConfigEntry[], env: NodeJS.ProcessEnv): readonly ConfigEntry[] {
  const { name, email } = authorOf(caller, env);
  return [
    ...caller.filter(({ key }) => SHARED.includes(key)),
    ...withoutCredentials(caller),
    { key: 'user.name', value: name },
    { key: 'user.email', value: email },
  ];
}

/** The owner as an author of commits; without a configured one, the system's user on this host. */
function authorOf(caller: readonly ConfigEntry[], env: NodeJS.ProcessEnv): { name: string; email: string } {
  const configured = (key: string): string | undefined => caller.findLast((entry) => entry.key === key)?.value;
  const user = env['USER'] ?? env['LOGNAME'] ?? userInfo().username;
  return {
    name: env['GIT_AUTHOR_NAME'] ?? configured('user.name') ?? user,
    email: env['GIT_AUTHOR_EMAIL'] ?? configured('user.email') ?? env['EMAIL'] ?? `${user}@${hostname()}`,
  };
}

/** Credentials in the owner's settings, to be scrubbed: passwords in URLs and authorization headers. */
export function credentialsIn(caller: readonly ConfigEntry[]): readonly string[] {
  return caller
    .filter(({ key }) => /^(?:url|http)\./.test(key))
    .flatMap(({ key, value }) => [
      ...[key, value].flatMap((text) =>
        [...text.matchAll(/:\/\/[^/@\s]*?([^/:@\s]+)@/g)].map((match) => match[1] ?? ''),
      ),
      ...(key.endsWith('.extraheader') ? [value.replace(/^.*\s/, '')] : []),
    ])
    .filter((text) => text.length >= 8);
}

/** The owner's variables that the agent's processes inherit: PATH, locale and trusted certificates. */
const PASSED = [
  'PATH',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'TERM',
  'SHELL',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'CURL_CA_BUNDLE',
  'REQUESTS_CA_BUNDLE',
];

/** Proxies for the agent's processes, passed on without passwords. */
const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'];
const EXEMPT = ['NO_PROXY', 'no_proxy'];

export interface AgentEnvironmentInput {
  readonly machine: string;
  readonly home: string;
  readonly gitConfig: string;
  /** Path of the file that says whose the machine is. */
  readonly agentFile: string;
  readonly callerEnv: NodeJS.ProcessEnv;
}

/** The environment of every process of the agent, before model credentials and spawn-time secrets. */
export function agentEnvironment({
  machine,
  home,
  gitConfig,
  agentFile,
  callerEnv,
}: AgentEnvironmentInput): Record<string, string> {
  const named = (names: readonly string[], map = (value: string): string => value): [string, string][] =>
    names.flatMap((name) => {
      const value = callerEnv[name];
      return value === undefined ? [] : [[name, map(value)]];
    });
  const proxies = named(PROXIES, (value) => value.replace(/^((?:[\w+.-]+:)?\/\/)?[^/]*@/, '$1'));
  return {
    ...Object.fromEntries([...named(PASSED), ...proxies]),
    // Without a proxy they have no effect but would bypass the broker's proxy.
    ...(usesProxy(callerEnv) ? Object.fromEntries(named(EXEMPT)) : {}),
    HOME: home,
    USER: 'murmur',
    LOGNAME: 'murmur',
    MURMUR_MACHINE: machine,
    [AGENT_FILE]: agentFile,
    GIT_CONFIG_GLOBAL: gitConfig,
    GIT_TERMINAL_PROMPT: '0',
  };
}

/** Whether the environment names a proxy. */
export function usesProxy(env: NodeJS.ProcessEnv): boolean {
  return PROXIES.some((name) => (env[name] ?? '') !== '');
}

/** Passwords in the environment's proxies, to be scrubbed. */
export function proxyPasswords(env: NodeJS.ProcessEnv): readonly string[] {
  return PROXIES.flatMap((name) => /^(?:[\w+.-]+:\/\/)?[^/@]*:([^/]*)@/.exec(env[name] ?? '')?.[1] ?? []);
}
