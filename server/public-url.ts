// URLs of the server for people.
import type { ServerParts } from './parts.ts';

/**
 * The server's URL for people: its public URL, or the address that the caller used. Without trailing slash.
 * @param host Host header of the call, checked
 */
export function publicUrl({ settings }: Pick<ServerParts, 'settings'>, { host }: { readonly host: string }): string {
  return settings.publicUrl ?? `http://${host}`;
}

/** Whether people may reach the server through the operator's proxy, which adds headers to requests. */
export function isPublic({ settings }: Pick<ServerParts, 'settings'>): boolean {
  return settings.hosts.length > 0;
}
