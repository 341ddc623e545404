// Inspects one configured host, with every step that precedes the creation of a machine there.
import type { SshHostSettings } from '../../../config/environment-settings.ts';
import { unlessLost } from '../lost.ts';
import type { HostReport, HostStart } from './host-call.ts';
import { resolveHost } from './resolve.ts';
import { openHostSession } from './session.ts';
import type { Shipment } from '../../shipment/shipment.ts';

export interface InspectOptions {
  /** The owner's environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly shipment: () => Promise<Shipment>;
  readonly start: HostStart;
}

export interface HostInspection extends HostReport {
  /** How it is reached, for people. */
  readonly route: string;
}

/**
 * Connects to the host, compares its key, logs in, finds Node, copies our files if they are missing and tries the
 * isolation. Throws what the provider would throw, and the signal's reason.
 */
export async function inspectHost(
  settings: SshHostSettings,
  { env, shipment, start }: InspectOptions,
  signal: AbortSignal,
): Promise<HostInspection> {
  const target = await unlessLost(signal, resolveHost(settings, env));
  const opening = openHostSession({ target, node: settings.node, shipment, start, predecessor: '' }, signal);
  try {
    const { program } = await unlessLost(signal, opening);
    const report = await unlessLost(signal, program.call('inspect', {}, signal));
    return { ...report, route: target.transport.description };
  } finally {
    // Also closes a connection that opens only after the time limit.
    void opening.then(
      ({ connection }) => connection.close(),
      () => undefined,
    );
  }
}
