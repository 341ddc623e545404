// The connection of a command to the API server of the settings or of the running embedded stack.
import { loadSettings, type Settings } from '../config/settings.ts';
import type { MurmurClient } from '../client/index.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import type { CliContext } from './context.ts';
import { announceSilence } from './silence.ts';

export interface Connection {
  readonly settings: Settings;
  readonly client: MurmurClient;
}

/** Settings from flags, environment and project files. Throws INVALID_ARGUMENT for an invalid value. */
export async function settingsOf(
  context: CliContext,
  flags: { readonly workspace?: string | undefined; readonly model?: string | undefined } = {},
): Promise<Settings> {
  return loadSettings(context.env, { cwd: context.cwd, flags });
}

/** Connects. Throws UNAVAILABLE at once if no stack runs, because the client would retry for a while. */
export async function connect(context: CliContext, settings: Settings): Promise<Connection> {
  const url = settings.apiUrl;
  if (url === undefined || (await isStale(settings))) {
    throw new MurmurError('UNAVAILABLE', 'no Murmur is running here', { hint: 'run `murmur up`' });
  }
  const { createClient } = await import('../client/index.ts');
  const { traceparent } = context;
  const trace = traceparent === undefined ? {} : { traceparent };
  const client = createClient({ url, token: settings.token, ...trace });
  return { settings, client: announceSilence(client, url, (text) => context.terminal.progress(text)) };
}

/** Whether stack.json is of a stack whose supervisor and server have both ended, by a crash or a reboot. */
async function isStale(settings: Settings): Promise<boolean> {
  const [{ readRecord }, { isRunning }] = await Promise.all([
    import('../stack/record.ts'),
    import('../stack/process.ts'),
  ]);
  const record = await readRecord(settings.home);
  if (record?.server?.url !== settings.apiUrl || record === undefined) return false;
  const { server } = record.children;
  return !(await isRunning(record.supervisor)) && !(server !== undefined && (await isRunning(server)));
}
