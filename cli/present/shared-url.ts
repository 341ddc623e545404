// Says who can open a URL, because a link that others cannot open is misleading.

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** One line for people. `what` is what the URL lets its reader do: `read the file`. */
export function audienceOf(url: string, what: string): string {
  const host = URL.parse(url)?.hostname ?? '';
  if (LOOPBACK.test(host)) return `only this machine can open it, to ${what}; set MURMUR_PUBLIC_URL for others`;
  return `everybody who has the URL and reaches ${host} can ${what}`;
}
