import { expect, test } from '@jest/globals';
import { spawnSecrets } from '../../../contract/schema/secrets.ts';

test('names of environment variables are accepted, with any text as value', () => {
  const values = { FOO: 'bar', _X9: '', PATHS: 'multi\nline' };
  expect(spawnSecrets.parse(values)).toEqual(values);
  expect(spawnSecrets.parse(undefined)).toEqual({});
});

test.each(['1FOO', 'FOO-BAR', 'FOO=BAR', '', 'FOO BAR'])('the name %j is refused', (name) => {
  expect(spawnSecrets.safeParse({ [name]: 'hunter2' }).error?.message).toContain('is not valid');
});

test.each(['MURMUR_TOKEN', 'PATH', 'HOME', 'LD_PRELOAD', 'NODE_OPTIONS'])('the name %s is not allowed', (name) => {
  expect(spawnSecrets.safeParse({ [name]: 'x' }).error?.message).toContain('is not allowed');
});

test.each(['db_password', 'http_proxy', 'npm_config_node_options'])(
  'the name %s, in lower case, is refused',
  (name) => {
    const problem = spawnSecrets.safeParse({ [name]: 'x' }).error?.message;
    expect(problem).toContain(`name it ${name.toUpperCase()}`);
  },
);

test.each([
  ...[
    'DYLD_INSERT_LIBRARIES',
    'GCONV_PATH',
    'LOCPATH',
    'LC_ALL',
    'LANGUAGE',
    'NLSPATH',
    'GLIBC_TUNABLES',
    'MALLOC_TRACE',
  ],
  ...['HOSTALIASES', 'LOCALDOMAIN', 'RES_OPTIONS', 'TZDIR', 'GETCONF_DIR', 'TMPDIR', 'BASH_ENV', 'ENV', 'IFS', 'PS4'],
  ...['SHELLOPTS', 'BASHOPTS', 'CDPATH', 'PROMPT_COMMAND', 'SHELL', 'USER', 'XDG_CONFIG_HOME', 'GIT_SSH_COMMAND'],
  ...['SSH_AUTH_SOCK', 'NODE_EXTRA_CA_CERTS', 'NPM_CONFIG_SCRIPT_SHELL', 'HTTPS_PROXY', 'SSL_CERT_FILE', 'PERL5OPT'],
  ...['BUN_OPTIONS', 'BUN_INSPECT', 'BUN_CONFIG_PRELOAD', 'BUN_BE_BUN', 'BUN_JSC_USEJIT', 'JSC_PROFILER_PATH', 'NODE'],
  ...['LESS', 'LESSKEY_CONTENT', 'MAX_THINKING_TOKENS', 'DISABLE_COMPACT', 'DISABLE_TELEMETRY', 'ENABLE_LSP_TOOL'],
  ...['BETA_TRACING_ENDPOINT', 'MCP_TRUNCATION_PROMPT_OVERRIDE', 'SELF_HOSTED_RUNNER_HOOKS_DIR'],
  ...['CLAUDE_CONFIG_DIR', 'CLAUDE_CODE_USE_BEDROCK', 'ANTHROPIC_CUSTOM_HEADERS', 'OPENAI_ORG_ID', 'CODEX_HOME'],
])('the name %s, which programs read as a setting, is refused', (name) => {
  expect(spawnSecrets.safeParse({ [name]: 'x' }).error?.message).toContain('is not allowed');
});

test.each([
  ...['GH_TOKEN', 'GITHUB_TOKEN', 'NPM_TOKEN', 'NODE_AUTH_TOKEN', 'DATABASE_URL', 'AWS_ACCESS_KEY_ID', 'AWS_PROFILE'],
  ...['AWS_SECRET_ACCESS_KEY', 'AWS_BEARER_TOKEN_BEDROCK', 'BUN_AUTH_TOKEN', 'MCP_CLIENT_SECRET', 'MCP_GITHUB_TOKEN'],
  ...['OTEL_EXPORTER_OTLP_HEADERS', 'LESSON_API_KEY', 'GOOGLE_APPLICATION_CREDENTIALS', 'SENTRY_DSN', 'DEBUG'],
  ...['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN', 'OPENAI_API_KEY', 'CODEX_API_KEY'],
])('the name %s is accepted', (name) => {
  expect(spawnSecrets.parse({ [name]: 'x' })).toEqual({ [name]: 'x' });
});

test('the address of a model is accepted only together with a key for that model', () => {
  const address = { ANTHROPIC_BASE_URL: 'http://127.0.0.1:1' };
  for (const others of [{}, { OPENAI_API_KEY: 'x' }, { GH_TOKEN: 'x' }]) {
    expect(spawnSecrets.safeParse({ ...address, ...others }).error?.message).toContain('needs a key of yours');
  }
  const whole = { ...address, ANTHROPIC_AUTH_TOKEN: 'x' };
  expect(spawnSecrets.parse(whole)).toEqual(whole);
});

test.each([
  ['a NUL character', 'a\0b'],
  ['more characters than the system accepts', 'x'.repeat(100_001)],
])('a value with %s is refused, and the error does not contain it', (_name, value) => {
  const message = spawnSecrets.safeParse({ FOO: value }).error?.message ?? '';
  expect(message).toContain('secret FOO');
  expect(message.length).toBeLessThan(400);
});
