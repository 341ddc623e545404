// The drivers of one process, as the configuration wants them: opened once, for the worker and for the API server alike.
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

/** Where agents and what belongs to them are kept. */
export interface Drivers {
  readonly objects: ObjectStore;
  readonly events: EventLog;
  readonly secrets: SecretStore;
  /** Tokens of agents, and those that people made for themselves. */
  readonly tokenStore: TokenStore;
  readonly machines: Machines;
  /** The installation's: seals the specs of agents, and its id says whose a machine is. */
  readonly key: SigningKey;
}

/** Drivers, and what closes them. */
export interface Platform extends Drivers, AsyncDisposable {}

/**
 * Opens all drivers. Throws FAILED_PRECONDITION for a signing key that cannot be used, and what the providers of machines
 * throw; what was opened before is closed then.
 * @param env environment of runners: the caller's, without credentials of models
 */
export async function openPlatform(
  config: Pick<Config, 'home' | 'host' | 'hostId' | 'isolation' | 'claude' | 'signingKeyFile'>,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Platform> {
  const { home } = config;
  await using opened = new AsyncDisposableStack();
  const drivers: Drivers = {
    objects: closedBy(opened, createDirectoryObjectStore(home.objects)),
    events: closedBy(opened, createFileEventLog(home.events)),
    secrets: closedBy(opened, createDirectorySecretStore(home.secrets)),
    tokenStore: closedBy(opened, createDirectoryTokenStore(home.tokenStore)),
    key: await openSigningKey(home.keys, config.signingKeyFile),
    machines: await openMachines(config, env),
  };
  for (const provider of Object.values(drivers.machines)) closedBy(opened, provider);
  const stack = opened.move();
  return { ...drivers, [Symbol.asyncDispose]: async () => await stack.disposeAsync() };
}

/** A driver that holds something open is disposable; the others need no closing. */
function closedBy<Driver extends object>(stack: AsyncDisposableStack, driver: Driver): Driver {
  if (Symbol.asyncDispose in driver) stack.use(driver as AsyncDisposable);
  return driver;
}
