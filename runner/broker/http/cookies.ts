// The cookies of a file that `http.cookieFile` names, in Netscape's format or as `Set-Cookie:` lines. Imports nothing.

/** The `Cookie` header for a URL; undefined when no cookie matches. */
export function cookieHeader(file: string, url: URL, now = Date.now()): string | undefined {
  const cookies = file.split(/\r?\n/).flatMap((line) => {
    const cookie = line.startsWith('Set-Cookie:') ? fromHeader(line) : fromNetscape(line);
    return cookie !== undefined && isFor(cookie, url, now) ? [`${cookie.name}=${cookie.value}`] : [];
  });
  return cookies.length === 0 ? undefined : cookies.join('; ');
}

interface Cookie {
  readonly domain: string;
  readonly withSubdomains: boolean;
  readonly path: string;
  readonly secure: boolean;
  /** Seconds since 1970; 0 for the session. */
  readonly expires: number;
  readonly name: string;
  readonly value: string;
}

function fromNetscape(line: string): Cookie | undefined {
  const isComment = line.startsWith('#') && !line.startsWith('#HttpOnly_');
  const [domain = '', subdomains, path = '/', secure, expires, name, value = ''] = line.split('\t');
  if (isComment || name === undefined) return undefined;
  return {
    domain: domain
      .replace(/^#HttpOnly_/, '')
      .replace(/^\./, '')
      .toLowerCase(),
    withSubdomains: subdomains === 'TRUE' || domain.startsWith('.'),
    path,
    secure: secure === 'TRUE',
    expires: Number(expires),
    name,
    value,
  };
}

/** The broker ignores a cookie without a domain. Curl would send it to every host. */
function fromHeader(line: string): Cookie | undefined {
  const [pair = '', ...attributes] = line
    .slice('Set-Cookie:'.length)
    .split(';')
    .map((part) => part.trim());
  const attribute = (name: string): string | undefined =>
    attributes.find((each) => each.toLowerCase().split('=')[0] === name)?.replace(/^[^=]*=?/, '');
  const equals = pair.indexOf('=');
  const domain = attribute('domain');
  if (equals < 1 || domain === undefined) return undefined;
  const expires = Date.parse(attribute('expires') ?? '');
  return {
    domain: domain.replace(/^\./, '').toLowerCase(),
    withSubdomains: true,
    path: attribute('path') ?? '/',
    secure: attribute('secure') !== undefined,
    expires: Number.isNaN(expires) ? 0 : expires / 1_000,
    name: pair.slice(0, equals),
    value: pair.slice(equals + 1),
  };
}

function isFor({ domain, withSubdomains, path, secure, expires }: Cookie, url: URL, now: number): boolean {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const isHost = host === domain || (withSubdomains && host.endsWith(`.${domain}`));
  const isPath = url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
  return isHost && isPath && (!secure || url.protocol === 'https:') && (expires === 0 || expires * 1_000 > now);
}
