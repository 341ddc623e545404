// `temporal` and `url temporal`: the official CLI and the Web UI, for the Temporal that this host's Murmur uses.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { constants, devNull } from 'node:os';
import { userCacheFolder } from '../../config/home.ts';
import { readStackFile, type StackFile } from '../../config/stack-file.ts';
import { temporalSettings } from '../../config/temporal.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { isRunning } from '../../stack/process.ts';
import { readRecord } from '../../stack/record.ts';
import { linkHost, LINK_MS } from '../../stack/relay/link.ts';
import { lookUpTemporal, programHint } from '../../stack/temporal/find.ts';
import type { Invocation } from '../command.ts';
import { settingsOf } from '../connection.ts';
import type { CliContext } from '../context.ts';
import { Interrupted, ProgramExit } from '../output/failure.ts';

/** Commands of the official CLI that call no server, or a server that the caller names. */
const WITHOUT_SERVER = ['server', 'help', 'completion', 'env', 'config'];
const FLAGS_WITHOUT_SERVER = /^(--help|-h|--version|-v|--address(=.*)?)$/;

/** Runs the official CLI with all words. Its exit status becomes the command's. */
export async function runTemporal({ context, words }: Invocation): Promise<void> {
  const { env } = context;
  const { home } = await settingsOf(context);
  const { found, rejected } = await lookUpTemporal({ env: { ...env }, cacheDirs: [userCacheFolder(env), home.cache] });
  if (found === undefined) {
    throw new MurmurError('FAILED_PRECONDITION', `no Temporal CLI found: ${rejected.join('; ')}`, {
      hint: programHint(),
    });
  }
  const callsServer =
    !WITHOUT_SERVER.includes(words[0] ?? 'help') && !words.some((word) => FLAGS_WITHOUT_SERVER.test(word));
  const { env: settings, flags } = await settingsFor(context, callsServer);
  await runAs(found.path, [...flags, ...words], settings, context);
}

interface ProgramSettings {
  readonly env: NodeJS.ProcessEnv;
  readonly flags: readonly string[];
}

/**
 * For an external cluster, the official CLI reads the same settings as Murmur. For the embedded server, the settings
 * are in stack.json. They override the caller's settings for other servers: variables, profiles and the older
 * environment files.
 */
async function settingsFor(context: CliContext, callsServer: boolean): Promise<ProgramSettings> {
  const { home } = await settingsOf(context);
  const { external } = await temporalSettings(context.env, home);
  if (external) return { env: { ...context.env }, flags: [] };
  const others = Object.entries(context.env).filter(([name]) => !name.startsWith('TEMPORAL_'));
  const env = Object.fromEntries(others);
  if (!callsServer) return { env, flags: [] };
  const variables = variablesOf(await runningTemporal(context));
  return { env: { ...env, ...variables, TEMPORAL_CONFIG_FILE: devNull }, flags: ['--env-file', devNull] };
}

function variablesOf({ address, namespace, tls }: StackFile['temporal']): NodeJS.ProcessEnv {
  const plain = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace };
  if (tls === undefined) return plain;
  return {
    ...plain,
    TEMPORAL_TLS: 'true',
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: tls.ca,
    TEMPORAL_TLS_CLIENT_CERT_PATH: tls.certificate,
    TEMPORAL_TLS_CLIENT_KEY_PATH: tls.key,
    TEMPORAL_TLS_SERVER_NAME: tls.server_name,
  };
}

/** The running embedded Temporal. Throws UNAVAILABLE if none runs: another server may use its old address. */
async function runningTemporal(context: CliContext): Promise<StackFile['temporal']> {
  const { home } = await settingsOf(context);
  const record = await readRecord(home);
  const processes = [record?.children.temporal, record?.supervisor].filter((each) => each !== undefined);
  const running = await Promise.all(processes.map(isRunning));
  const temporal = readStackFile(home)?.temporal;
  if (temporal !== undefined && running.includes(true)) return temporal;
  throw new MurmurError('UNAVAILABLE', 'no Murmur is running here', { hint: 'run `murmur up`' });
}

/** Runs the program. The terminal sends Ctrl-C to both processes; signals to this process only are forwarded. */
async function runAs(
  program: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  { cwd, signal }: CliContext,
): Promise<void> {
  const child = spawn(program, words, { env, cwd, stdio: 'inherit' });
  const passOn = (): void => {
    const sent = signal.reason instanceof Interrupted ? signal.reason.signal : 'SIGTERM';
    if (sent !== 'SIGINT') child.kill(sent);
  };
  signal.addEventListener('abort', passOn);
  try {
    const [code, ended] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    const exit = code ?? 128 + constants.signals[ended ?? 'SIGTERM'];
    if (exit !== 0 || signal.aborted) throw new ProgramExit(exit);
  } finally {
    signal.removeEventListener('abort', passOn);
  }
}

/** Prints a link to the Web UI, valid for some hours. */
export async function runTemporalUrl({ context, json }: Invocation): Promise<void> {
  const { home } = await settingsOf(context);
  const { address = '', external } = await temporalSettings(context.env, home);
  if (external) {
    throw new MurmurError(
      'FAILED_PRECONDITION',
      `Temporal at ${address} was not started by Murmur: the address of its Web UI is not known`,
    );
  }
  const temporal = await runningTemporal(context);
  if (temporal.ui_port === undefined) {
    if (temporal.ui_url !== undefined) {
      const message = `an earlier version of Murmur started this Temporal; its Web UI is at ${temporal.ui_url}`;
      throw new MurmurError('FAILED_PRECONDITION', message, { hint: 'run `murmur down` and `murmur up`' });
    }
    throw new MurmurError(
      'FAILED_PRECONDITION',
      `Temporal's Web UI is off, because every process of this host could use it: ${temporal.open ?? ''}`,
      { hint: 'use `murmur temporal`, such as `murmur temporal workflow list`' },
    );
  }
  const now = Date.now();
  const host = linkHost(await readFile(home.temporal.uiKey), temporal.ui_port, now);
  const url = `http://${host}/namespaces/${encodeURIComponent(temporal.namespace)}/workflows`;
  if (json) context.terminal.json({ url, expires_at: new Date(now + LINK_MS).toISOString() });
  else {
    context.terminal.line(url);
    context.terminal.complain(
      'valid for 8 hours in a browser on this host; anyone who has the link controls all agents',
    );
  }
}
