// The whole configuration of worker, server and stack, as one frozen object. The CLI loads settings.ts instead.
import { MurmurError } from '../contract/wire/errors.ts';
import { taskQueueOf } from '../contract/wire/messages.ts';
import type { Environment } from './environment.ts';
import { choiceOf, countOf, portOf, textOf } from './environment.ts';
import { ensureHostId, userHome } from './home.ts';
import type { HostSettings } from './host-settings.ts';
import { loadHostSettings } from './host-settings.ts';
import type { ModelCredentials } from './model-credentials.ts';
import { modelCredentials } from './model-credentials.ts';
import { findClaude } from './programs.ts';
import type { Settings, SettingsSource } from './settings.ts';
import { loadSettings } from './settings.ts';
import type { TelemetrySettings } from './telemetry.ts';
import { telemetrySettings } from './telemetry.ts';
import type { TemporalSettings } from './temporal.ts';
import { temporalSettings } from './temporal.ts';

const ISOLATION_CHOICES = ['auto', 'namespace', 'tracking'] as const;
/** `auto`: namespaces where they work, else tracking. */
export type IsolationChoice = (typeof ISOLATION_CHOICES)[number];

export interface Config extends Settings {
  readonly hostId: string;
  /** Shared by workflows and activities of this host: eager execution works only within one queue. */
  readonly taskQueue: string;
  readonly temporal: TemporalSettings;
  /** Loopback ports of the embedded stack; 0 means any free one. */
  readonly ports: { readonly api: number; readonly temporal: number; readonly temporalUi: number };
  readonly modelCredentials: ModelCredentials;
  /** Absolute path of Claude Code; undefined when it is missing. */
  readonly claude: string | undefined;
  readonly isolation: IsolationChoice;
  /** URL of the API server for people on other hosts; undefined when only this host uses it. */
  readonly publicUrl: string | undefined;
  /** Largest upload, in bytes. */
  readonly uploadLimit: number;
  /** Days without an event after which the oldest entries of an agent's log are dropped (`EventLog.prune`). */
  readonly eventDays: number;
  /** Where agents run, their limits, and the paths that they see. */
  readonly host: HostSettings;
  /** File with the installation's key, if several hosts share one. When undefined, the key is in MURMUR_HOME. */
  readonly signingKeyFile: string | undefined;
  /** Where traces and metrics are sent; undefined for none. */
  readonly telemetry: TelemetrySettings | undefined;
  /** Limits of a tree of agents: levels, and living agents below one root. */
  readonly limits: { readonly depth: number; readonly agents: number };
}

/**
 * No observed team of agents needs five levels, and the limit stops endless spawning. A thousand agents are more than a
 * host runs at once, at some 230 MB each.
 */
const DEFAULT_LIMITS = { depth: 5, agents: 1_000 } as const;

/** A screenshot has one megabyte, a recording fifty. */
const DEFAULT_UPLOAD_MB = 100;
const MB = 1_000_000;

/** A quarter of a year. The log of an agent unused for so long is rarely read, and then for its last turns. */
const DEFAULT_EVENT_DAYS = 90;

/** Not Temporal's 7233 and 8233, on which a developer's own dev server may listen. */
const DEFAULT_PORTS = { api: 7470, temporal: 7471, temporalUi: 7472 } as const;

/**
 * Reads the configuration and creates MURMUR_HOME with its host id. Throws INVALID_ARGUMENT for an invalid value and
 * FAILED_PRECONDITION when MURMUR_HOME cannot be written. `problemsOf` reports other problems.
 */
export async function loadConfig(env: Environment, source: SettingsSource): Promise<Config> {
  const settings = await loadSettings(env, source);
  const hostId = ensureHostId(settings.home);
  return Object.freeze({
    ...settings,
    hostId,
    taskQueue: taskQueueOf(hostId),
    temporal: Object.freeze(await temporalSettings(env, settings.home)),
    ports: Object.freeze({
      api: portOf(env, 'MURMUR_API_PORT') ?? DEFAULT_PORTS.api,
      temporal: portOf(env, 'MURMUR_TEMPORAL_PORT') ?? DEFAULT_PORTS.temporal,
      temporalUi: portOf(env, 'MURMUR_TEMPORAL_UI_PORT') ?? DEFAULT_PORTS.temporalUi,
    }),
    modelCredentials: modelCredentials(env),
    claude: findClaude(env),
    limits: Object.freeze({
      depth: countOf(env, 'MURMUR_MAX_DEPTH') ?? DEFAULT_LIMITS.depth,
      agents: countOf(env, 'MURMUR_MAX_AGENTS') ?? DEFAULT_LIMITS.agents,
    }),
    host: await loadHostSettings(settings.home, userHome(env)),
    publicUrl: publicUrlOf(env),
    telemetry: telemetrySettings(env),
    uploadLimit: (countOf(env, 'MURMUR_MAX_UPLOAD_MB') ?? DEFAULT_UPLOAD_MB) * MB,
    eventDays: countOf(env, 'MURMUR_EVENT_DAYS') ?? DEFAULT_EVENT_DAYS,
    signingKeyFile: textOf(env, 'MURMUR_SIGNING_KEY_FILE'),
    isolation: choiceOf(env, 'MURMUR_ISOLATION', ISOLATION_CHOICES) ?? 'auto',
  });
}

const PUBLIC_URL = 'MURMUR_PUBLIC_URL';

/**
 * `MURMUR_PUBLIC_URL` without trailing slash; undefined when it is not set. Throws INVALID_ARGUMENT, which quotes the
 * value, for anything but the origin of an http or https URL: pages bind cookies to paths, so a prefix cannot be
 * served.
 */
function publicUrlOf(env: Environment): string | undefined {
  const text = textOf(env, PUBLIC_URL);
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && `${url.origin}/` === url.href) return url.origin;
  throw new MurmurError(
    'INVALID_ARGUMENT',
    `${PUBLIC_URL} is ${JSON.stringify(text)}: it needs an http or https URL without path and credentials`,
    { hint: `correct or unset ${PUBLIC_URL}` },
  );
}
