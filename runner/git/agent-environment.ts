// What git needs inside the isolation: the caller's identity and routes, and our broker in the place of credentials.
import { hostname, userInfo } from 'node:os';
import type { ConfigEntry } from './caller-git.ts';
import { shellWord } from './config-file.ts';

export interface BrokerScripts {
  readonly credential: string;
  readonly ssh: string;
}

/** Sections that the agent's git shares with the caller's. Large files need their filter on both sides. */
const SHARED = /^(url|http)\.|^filter\.lfs\.|^(core\.autocrlf|core\.eol|init\.defaultbranch)$/;

/**
 * The configuration of the agent's git (GIT_CONFIG_GLOBAL): author, `url.*` and `http.*` are the caller's, credentials
 * and ssh go through the broker, and no repository's owner is doubted, since the checkouts change theirs.
 */
export function agentGitConfig(
  caller: readonly ConfigEntry[],
  env: NodeJS.ProcessEnv,
  scripts: BrokerScripts,
): readonly ConfigEntry[] {
  const { name, email } = authorOf(caller, env);
  return [
    { key: 'init.defaultbranch', value: 'main' },
    ...caller.filter(({ key }) => SHARED.test(key)),
    { key: 'user.name', value: name },
    { key: 'user.email', value: email },
    // The empty helper forgets those of the system's configuration.
    { key: 'credential.helper', value: '' },
    { key: 'credential.helper', value: `!${shellWord(scripts.credential)}` },
    // The caller's own git decides whether the path counts.
    { key: 'credential.usehttppath', value: 'true' },
    { key: 'core.sshcommand', value: shellWord(scripts.ssh) },
    { key: 'ssh.variant', value: 'ssh' },
    { key: 'safe.directory', value: '*' },
    { key: 'push.autosetupremote', value: 'true' },
    { key: 'advice.detachedhead', value: 'false' },
  ];
}

/** The caller as an author of commits; without a configured one, the system's user on this host. */
function authorOf(caller: readonly ConfigEntry[], env: NodeJS.ProcessEnv): { name: string; email: string } {
  const configured = (key: string): string | undefined => caller.findLast((entry) => entry.key === key)?.value;
  const user = env['USER'] ?? env['LOGNAME'] ?? userInfo().username;
  return {
    name: env['GIT_AUTHOR_NAME'] ?? configured('user.name') ?? user,
    email: env['GIT_AUTHOR_EMAIL'] ?? configured('user.email') ?? env['EMAIL'] ?? `${user}@${hostname()}`,
  };
}

/** Values in shared settings that are credentials: passwords in URLs and authorization headers. To be scrubbed. */
export function credentialsIn(caller: readonly ConfigEntry[]): readonly string[] {
  return caller
    .filter(({ key }) => SHARED.test(key))
    .flatMap(({ key, value }) => [
      ...[key, value].flatMap((text) =>
        [...text.matchAll(/:\/\/[^/@\s]*?([^/:@\s]+)@/g)].map((match) => match[1] ?? ''),
      ),
      ...(key.endsWith('.extraheader') ? [value.replace(/^.*\s/, '')] : []),
    ])
    .filter((text) => text.length >= 8);
}

/** Variables of the caller that the agent's processes share: how to find programs, speak, and reach the network. */
const PASSED = [
  'PATH',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'TERM',
  'SHELL',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'all_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'GIT_SSL_CAINFO',
  'CURL_CA_BUNDLE',
  'REQUESTS_CA_BUNDLE',
];

export interface AgentEnvironmentInput {
  readonly machine: string;
  readonly home: string;
  readonly gitConfig: string;
  readonly callerEnv: NodeJS.ProcessEnv;
}

/** The environment of every process of the agent, before model credentials and spawn-time secrets. */
export function agentEnvironment({
  machine,
  home,
  gitConfig,
  callerEnv,
}: AgentEnvironmentInput): Record<string, string> {
  const passed = PASSED.flatMap((name) => {
    const value = callerEnv[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(passed),
    HOME: home,
    USER: 'murmur',
    LOGNAME: 'murmur',
    MURMUR_MACHINE: machine,
    GIT_CONFIG_GLOBAL: gitConfig,
    GIT_TERMINAL_PROMPT: '0',
  };
}
