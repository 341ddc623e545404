// Valid names of spawn-time secrets, and which credentials of the operator an agent gets. Pure.
import { isListed } from './name-pattern.ts';

/** `[A-Z_][A-Z0-9_]*`: all shells and programs read such names the same way. */
const NAME = /^[A-Z_][A-Z0-9_]{0,127}$/;

/**
 * Names of settings that change how programs behave; a trailing `*` matches any rest. No caller may use them: a value
 * could run code, redirect traffic or replace files in programs that the caller does not know.
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
  // Claude Code is one file that contains Bun. Bun reads its own options before the program starts.
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
  // Claude Code 2.1.328 reads these. It is also the assessor, which must run with the operator's settings.
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

/** Variables with the keys and addresses of an agent program's models. */
interface ModelNames {
  /** Each is sufficient for access. */
  readonly keys: readonly string[];
  /** Server addresses, to which a key is sent. */
  readonly addresses: readonly string[];
}

const MODELS: readonly ModelNames[] = [
  {
    keys: ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'],
    addresses: ['ANTHROPIC_BASE_URL'],
  },
  { keys: ['OPENAI_API_KEY', 'CODEX_API_KEY'], addresses: ['OPENAI_BASE_URL'] },
];

/** Names that match a refused prefix but only contain a credential or a model's address. */
const ALLOWED = [
  'BUN_AUTH_TOKEN',
  'NODE_AUTH_TOKEN',
  ...MODELS.flatMap(({ keys, addresses }) => [...keys, ...addresses]),
];

/** Why a set of secrets cannot contain this name, and what to do; undefined if it can. */
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

/** The operator's credentials and the agent's own secrets in its environment. */
export interface GivenSecrets {
  readonly credentials: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** Names of secrets that are no longer allowed. Agents that an earlier build started can have them. */
  readonly dropped: readonly string[];
}

/**
 * Decides what an agent gets. With its own key for a program, it gets none of the operator's keys for that program.
 * With its own address, it does not get the operator's, so no key of the operator is sent there. Its own key without an
 * address is sent to the operator's address, by which this host reaches the model.
 * @param ours secrets that Murmur itself added
 */
export function givenSecrets(
  credentials: Readonly<Record<string, string>>,
  stored: Readonly<Record<string, string>>,
  ours: readonly string[],
): GivenSecrets {
  const all = Object.keys(stored);
  // Earlier builds allowed lower case. Such a secret is kept unless a program reads it like a listed name: http_proxy.
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
