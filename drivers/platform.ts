// Opens the configured drivers of one process, for the worker and for the API server.
import type { Config } from '../config/config.ts';
import type { EventLog } from './events/event-log.ts';
import { createFileEventLog } from './events/file.ts';
import { openSigningKey } from './keys/signing-key.ts';
import type { SigningKey } from './keys/signing-key.ts';
import { openMachines } from './machines/providers.ts';
import type { Machines } from './machines/configured.ts';
import { createDirectoryObjectStore } from './objects/directory.ts';
import type { ObjectStore } from './objects/object-store.ts';
import { createDirectorySecretStore } from './secrets/directory.ts';
import type { SecretStore } from './secrets/secret-store.ts';
import { createDirectoryTokenStore } from './tokens/directory.ts';
import type { TokenStore } from './tokens/token-store.ts';

/** The stores and machines of agents. */
export interface Drivers {
  readonly objects: ObjectStore;
  readonly events: EventLog;
  readonly secrets: SecretStore;
  /** Tokens of agents, and tokens that people created. */
  readonly tokenStore: TokenStore;
  readonly machines: Machines;
  /** The installation's signing key. It seals the specs of agents; its id labels the installation's machines. */
  readonly key: SigningKey;
}

/** Drivers; disposing closes them. */
export interface Platform extends Drivers, AsyncDisposable {}

/**
 * Opens all drivers. Throws FAILED_PRECONDITION for an invalid signing key, and the errors of machine providers. Then
 * it closes what it has opened.
 * @param env environment of runners: the caller's, without credentials of models
 * @param murmur see `createMachines`
 */
export async function openPlatform(
  config: Pick<Config, 'home' | 'host' | 'hostId' | 'isolation' | 'claude' | 'signingKeyFile'>,
  env: Readonly<Record<string, string | undefined>>,
  murmur?: Promise<string>,
): Promise<Platform> {
  const { home } = config;
  await using opened = new AsyncDisposableStack();
  const drivers: Drivers = {
    objects: closedBy(opened, createDirectoryObjectStore(home.objects)),
    events: closedBy(opened, createFileEventLog(home.events)),
    secrets: closedBy(opened, createDirectorySecretStore(home.secrets)),
    tokenStore: closedBy(opened, createDirectoryTokenStore(home.tokenStore)),
    key: await openSigningKey(home.keys, config.signingKeyFile),
    machines: await openMachines(config, env, murmur),
  };
  for (const provider of Object.values(drivers.machines)) closedBy(opened, provider);
  const stack = opened.move();
  return { ...drivers, [Symbol.asyncDispose]: async () => await stack.disposeAsync() };
}

/** Registers the driver for disposal if it is disposable; the others hold nothing open. */
function closedBy<Driver extends object>(stack: AsyncDisposableStack, driver: Driver): Driver {
  if (Symbol.asyncDispose in driver) stack.use(driver as AsyncDisposable);
  return driver;
}
