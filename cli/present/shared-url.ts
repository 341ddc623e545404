// Whom a URL is for, said beside it: a link that others cannot open is a trap.

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** One line for people. `what` is what whoever has the URL gets: `read the file`. */
export function audienceOf(url: string, what: string): string {
  const host = URL.parse(url)?.hostname ?? '';
  if (LOOPBACK.test(host)) return `only this machine can open it, to ${what}; set MURMUR_PUBLIC_URL for others`;
  return `whoever has it and reaches ${host} can ${what}`;
}
