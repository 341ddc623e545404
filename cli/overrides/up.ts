// `up`: starts the embedded stack.
import { loadConfig, type Config } from '../../config/config.ts';
import { problemsOf } from '../../config/preflight.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import type { StackRecord } from '../../contract/stack.ts';
import type { WantedPorts } from '../../stack/ports.ts';
import { up, upInForeground, type UpOptions } from '../../stack/up.ts';
import type { Invocation } from '../command.ts';
import type { CliContext } from '../context.ts';
import { keyValues } from '../present/table.ts';

export async function runUp({ context, json, parsed }: Invocation): Promise<void> {
  const { cwd, env, signal, terminal, version } = context;
  const config = await loadConfig(env, { cwd });
  const options: UpOptions = {
    config,
    env: { ...env },
    version,
    ports: portsOf(parsed.flags),
    signal,
    onProgress: (message) => {
      terminal.progress(message);
    },
  };
  const print = (record: StackRecord, already: boolean): void => {
    if (json) terminal.json({ already_running: already, ...recordForPrograms(record, options) });
    else terminal.line(recordForPeople(record, already, options));
  };
  if (parsed.flags.has('foreground')) {
    await warn(config, context);
    await upInForeground(options, (record) => {
      print(record, false);
      terminal.progress('Ctrl-C stops it');
    });
    signal.throwIfAborted();
    return;
  }
  const { already_running: already, record } = await up(options);
  // A stack that was already running has the environment of its start.
  if (!already) await warn(config, context);
  print(record, already);
}

/** Prints problems that prevent agents from working, as warnings: the stack runs anyway. */
async function warn(config: Config, { env, terminal }: CliContext): Promise<void> {
  for (const { message, fix } of await problemsOf(config, env)) {
    terminal.complain(`murmur: ${message} (${fix})`, 'yellow');
  }
}

function portsOf(flags: ReadonlyMap<string, readonly string[]>): Partial<WantedPorts> {
  const ports: { -readonly [Which in keyof WantedPorts]?: number } = {};
  const named = [
    ['api', 'api-port'],
    ['temporal', 'temporal-port'],
    ['temporalUi', 'temporal-ui-port'],
  ] as const;
  for (const [which, flag] of named) {
    const text = flags.get(flag)?.[0];
    if (text !== undefined) ports[which] = portOf(flag, text);
  }
  return ports;
}

function portOf(flag: string, text: string): number {
  if (text === 'auto') return 0;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new MurmurError(
    'INVALID_ARGUMENT',
    `--${flag} is ${JSON.stringify(text)}: it needs a port from 0 to 65535, or auto`,
  );
}

function recordForPrograms(record: StackRecord, { config }: { readonly config: UpOptions['config'] }) {
  return {
    api_url: record.server?.url,
    temporal: record.temporal,
    supervisor: record.supervisor.pid,
    home: config.home.root,
    logs: config.home.logs.folder,
  };
}

/** `127.0.0.1:7471 (Web UI: murmur url temporal)` */
function temporalText(temporal: StackRecord['temporal']): string | undefined {
  if (temporal === undefined) return undefined;
  const { address, open, ui_port: uiPort } = temporal;
  if (uiPort !== undefined) return `${address} (Web UI: murmur url temporal)`;
  return open === undefined ? address : `${address} (open to every process of this host: ${open})`;
}

function recordForPeople(
  record: StackRecord,
  already: boolean,
  { config }: { readonly config: UpOptions['config'] },
): string {
  const facts = keyValues([
    ['API', record.server?.url],
    ['Temporal', temporalText(record.temporal)],
    ['Home', config.home.root],
    ['Logs', config.home.logs.folder],
  ]);
  const head = already ? 'Murmur is already running.' : 'Murmur is running.';
  return `${head}\n\n${facts}\n\nStop it with: murmur down`;
}
