// URLs that are given out, as people open them.
import type { ServerParts } from './parts.ts';

/**
 * Where people reach the server: its public URL, or what the caller itself has used. Without a slash at the end.
 * @param host Host header of the call, checked
 */
export function publicUrl({ settings }: Pick<ServerParts, 'settings'>, { host }: { readonly host: string }): string {
  return settings.publicUrl ?? `http://${host}`;
}

/** Whether people may reach the server through a proxy of the operator's, which adds headers of its own to requests. */
export function isPublic({ settings }: Pick<ServerParts, 'settings'>): boolean {
  return settings.hosts.length > 0;
}
