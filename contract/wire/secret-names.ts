// Which names a spawn-time secret may have, and which credentials of the operator an agent gets beside its own. Pure.
import { isListed } from './name-pattern.ts';

/** `[A-Z_][A-Z0-9_]*`: what a shell exports and every program reads alike. */
const NAME = /^[A-Z_][A-Z0-9_]{0,127}$/;

/**
 * Names that steer a program instead of informing it; a `*` at the end stands for any rest. They are refused to
 * everybody: a value could run code, redirect traffic or replace files in programs that the caller does not know of.
 */
export const REFUSED_SECRET_NAMES: Readonly<Record<string, readonly string[]>> = {
  loader: ['LD_*', 'DYLD_*'],
  'C library and locale': [
    'GCONV_PATH',
    'GETCONF_DIR',
    'GLIBC_TUNABLES',
    'HOSTALIASES',
    'LANG',
    'LANGUAGE',
    'LC_*',
    'LOCALDOMAIN',
    'LOCPATH',
    'MALLOC_*',
    'NIS_PATH',
    'NLSPATH',
    'RESOLV_*',
    'RES_OPTIONS',
    'TEMP',
    'TERM',
    'TERMCAP',
    'TERMINFO',
    'TERMINFO_DIRS',
    'TMP',
    'TMPDIR',
    'TZ',
    'TZDIR',
  ],
  shells: [
    '_',
    'BASHOPTS',
    'BASH_*',
    'CDPATH',
    'ENV',
    'EUID',
    'FPATH',
    'GLOBIGNORE',
    'GROUPS',
    'HISTFILE',
    'HOME',
    'IFS',
    'INPUTRC',
    'LOGNAME',
    'OLDPWD',
    'PATH',
    'POSIXLY_CORRECT',
    'PPID',
    'PROMPT_COMMAND',
    'PS0',
    'PS1',
    'PS2',
    'PS3',
    'PS4',
    'PWD',
    'SHELL',
    'SHELLOPTS',
    'SHLVL',
    'UID',
    'USER',
    'XDG_*',
    'ZDOTDIR',
  ],
  'git and ssh': [
    'BROWSER',
    'EDITOR',
    'GIT_*',
    'GNUPGHOME',
    'LESS',
    'LESSCLOSE',
    'LESSECHO',
    'LESSEDIT',
    'LESSHISTFILE',
    'LESSKEY*',
    'LESSOPEN',
    'LESSSECURE*',
    'PAGER',
    'PERL5*',
    'PERLLIB',
    'SSH_*',
    'VISUAL',
  ],
  network: [
    'ALL_PROXY',
    'CURL_CA_BUNDLE',
    'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH',
    'HTTPS_PROXY',
    'HTTP_PROXY',
    'NO_PROXY',
    'OPENSSL_*',
    'REQUESTS_CA_BUNDLE',
    'SSLKEYLOGFILE',
    'SSL_CERT_DIR',
    'SSL_CERT_FILE',
  ],
  // Claude Code is one file with Bun in it, which reads its own options before the program starts.
  'Node, Bun and npm': [
    'BUN_*',
    'JSC_*',
    'NODE',
    'NODE_*',
    'NPM_CONFIG_*',
    'UV_THREADPOOL_SIZE',
    'UV_USE_IO_URING',
    'VSCODE_*',
  ],
  // Read by Claude Code 2.1.328, which is also the assessor: it must judge as the operator has set it up.
  'agent programs': [
    'ANTHROPIC_*',
    'API_FORCE_IDLE_TIMEOUT',
    'API_TIMEOUT_MS',
    'AUTOMODE_DECISION_LOG',
    'BETA_TRACING_*',
    'BUGHUNTER_*',
    'CCR_*',
    'CLAUDECODE',
    'CLAUDE_*',
    'CODEX_*',
    'COMPUTER_USE_*',
    'DISABLE_*',
    'DS_CHROMIUM_PATH',
    'ENABLE_*',
    'FALLBACK_FOR_ALL_PRIMARY_MODELS',
    'FORCE_AUTOUPDATE_PLUGINS',
    'FORCE_CODE_TERMINAL',
    'FORCE_PROMPT_CACHING_*',
    'FORCE_VCR',
    'IS_SANDBOX',
    'MAX_MCP_OUTPUT_TOKENS',
    'MAX_STRUCTURED_OUTPUT_RETRIES',
    'MAX_THINKING_TOKENS',
    'MCP_CONNECTION_NONBLOCKING',
    'MCP_CONNECT_TIMEOUT_MS',
    'MCP_DISCOVERY_*',
    'MCP_OAUTH_*',
    'MCP_PROTOCOL_*',
    'MCP_PROXY_*',
    'MCP_REMOTE_*',
    'MCP_SDK_*',
    'MCP_SERVER_*',
    'MCP_TIMEOUT',
    'MCP_TOOL_TIMEOUT',
    'MCP_TRUNCATION_*',
    'MURMUR_*',
    'OPENAI_*',
    'RIPGREP_CONFIG_PATH',
    'SDK_NATIVE_BIN',
    'SELF_HOSTED_RUNNER_*',
    'SESSION_INGRESS_*',
    'SLASH_COMMAND_TOOL_*',
    'SYSTEM_REMINDER_*',
    'ULTRAPLAN_*',
    'USE_API_CONTEXT_MANAGEMENT',
    'USE_BUILTIN_RIPGREP',
    'USE_LOCAL_OAUTH',
    'USE_STAGING_OAUTH',
    'VITALS_EMITTER_BIN',
    'VOICE_STREAM_*',
  ],
};

/** Keys and addresses of the models that an agent program uses. */
interface ModelNames {
  /** Each opens the model by itself. */
  readonly keys: readonly string[];
  /** Where a key is sent to. */
  readonly addresses: readonly string[];
}

const MODELS: readonly ModelNames[] = [
  {
    keys: ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'],
    addresses: ['ANTHROPIC_BASE_URL'],
  },
  { keys: ['OPENAI_API_KEY', 'CODEX_API_KEY'], addresses: ['OPENAI_BASE_URL'] },
];

/** Names that a prefix would refuse, but that only carry a credential. */
const ALLOWED = [
  'BUN_AUTH_TOKEN',
  'NODE_AUTH_TOKEN',
  ...MODELS.flatMap(({ keys, addresses }) => [...keys, ...addresses]),
];

/** Why a set of secrets cannot have this name, as a sentence with what to do; undefined when it can. */
export function secretNameProblem(name: string, all: readonly string[]): string | undefined {
  const shown = JSON.stringify(name.slice(0, 80));
  if (!NAME.test(name)) {
    const upper = name.toUpperCase();
    const instead = upper !== name && NAME.test(upper) ? `; name it ${upper}` : '';
    return `secret name ${shown} is not valid: it needs A-Z, 0-9 and "_", with no digit first${instead}`;
  }
  if (steers(name)) {
    return `secret name ${shown} is not allowed: programs read it as a setting; use another name`;
  }
  const model = MODELS.find(({ addresses }) => addresses.includes(name));
  if (model === undefined || hasKey(model, all)) return undefined;
  return `secret ${name} needs a key of yours beside it, as the operator's is sent to no other address; add ${model.keys.join(' or ')}`;
}

/** What an agent's environment holds of the operator's credentials and of its own secrets. */
export interface GivenSecrets {
  readonly credentials: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** Names of secrets that are not given; agents that an earlier build started may have such. */
  readonly dropped: readonly string[];
}

/**
 * Decides what an agent gets. With a key of its own for a program it gets none of the operator's keys for that program,
 * and with an address of its own not the operator's address: then nothing of the operator's goes there. A key without
 * an address goes to the operator's, as that is how this host reaches the model.
 * @param ours secrets that Murmur itself has added
 */
export function givenSecrets(
  credentials: Readonly<Record<string, string>>,
  stored: Readonly<Record<string, string>>,
  ours: readonly string[],
): GivenSecrets {
  const all = Object.keys(stored);
  // A name in lower case was valid once. It goes on unless a program reads it as one of the list, as curl does http_proxy.
  const dropped = all.filter(
    (name) => !ours.includes(name) && secretNameProblem(name.toUpperCase(), all) !== undefined,
  );
  const secrets = without(stored, dropped);
  const names = Object.keys(secrets);
  const replaced = MODELS.filter((model) => hasKey(model, names)).flatMap(({ keys }) => keys);
  return { credentials: without(credentials, [...replaced, ...names]), secrets, dropped };
}

function steers(name: string): boolean {
  if (ALLOWED.includes(name)) return false;
  return isListed(name, Object.values(REFUSED_SECRET_NAMES).flat());
}

function hasKey({ keys }: ModelNames, names: readonly string[]): boolean {
  return keys.some((key) => names.includes(key));
}

function without(values: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));
}
