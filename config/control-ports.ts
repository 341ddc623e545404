// Loopback ports on which Murmur's own processes listen: nobody is led to them from outside.
import type { HomePaths } from './home.ts';
import { readStackFile } from './stack-file.ts';

/** The ports of API server and Temporal, as configured and as the embedded stack has settled them. Read anew each time. */
export function controlPorts(
  home: HomePaths,
  configured: { readonly api: number; readonly temporal: string | undefined },
): ReadonlySet<number> {
  const stack = readStackFile(home);
  const { temporal, server } = stack ?? {};
  const addresses = [configured.temporal, temporal?.address].map((each) => `tcp://${each ?? ''}`);
  const urls = [temporal?.ui_url, temporal?.http_url, temporal?.metrics_url, server?.url];
  const ports = [...addresses, ...urls].map((each) => Number(URL.parse(each ?? '')?.port ?? 0));
  return new Set([configured.api, temporal?.ui_port ?? 0, ...ports].filter((port) => port !== 0));
}
