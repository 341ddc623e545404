// A git-lfs server answers with the headers for fetching each file. Some servers repeat the request's authorization
// there. Imports nothing.

/** Shorter passwords occur in texts by accident, so only the header with them is removed. */
const SHORTEST = 8;

/** The answer without the values of these headers. The broker adds them again when the file is fetched. */
export function withoutSecrets(answer: string, sent: readonly string[]): string {
  const secrets = sent.flatMap(secretsOf).filter((each) => each.length >= SHORTEST);
  let value: unknown;
  try {
    value = JSON.parse(answer);
  } catch {
    return '';
  }
  const holds = (text: string): boolean => secrets.some((each) => text.includes(each));
  const cleaned = (each: unknown): unknown => {
    if (Array.isArray(each)) return each.filter((part) => typeof part !== 'string' || !holds(part)).map(cleaned);
    if (typeof each !== 'object' || each === null) return each;
    const kept = Object.entries(each).filter(([, part]) => typeof part !== 'string' || !holds(part));
    return Object.fromEntries(kept.map(([name, part]) => [name, cleaned(part)]));
  };
  return JSON.stringify(cleaned(value));
}

/** The header's value, the credentials after its scheme, the password of a basic one, and each cookie's value. */
function secretsOf(value: string): readonly string[] {
  const credential = value.replace(/^\S+\s+/, '');
  const cookies = value.split(';').map((cookie) => cookie.replace(/^[^=]*=/, '').trim());
  return [value, credential, ...cookies, ...(/^basic /i.test(value) ? [tokenOf(credential)] : [])];
}

function tokenOf(basic: string): string {
  const [user = '', ...rest] = Buffer.from(basic, 'base64').toString('utf8').split(':');
  const password = rest.join(':');
  // Forges also accept a token as the user, with one of these passwords.
  return ['', 'x-oauth-basic'].includes(password) ? user : password;
}
