// A git-lfs server says with which header each file is fetched; some repeat the one that they were asked with. Imports
// nothing.

/** A shorter password is in every text by accident; the header that holds it is not. */
const SHORTEST = 8;

/** The answer without the values of these headers: the broker adds them again when the file is fetched. */
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

/** The value, what follows the scheme of an authorization, the password of a basic one, and each cookie's value. */
function secretsOf(value: string): readonly string[] {
  const credential = value.replace(/^\S+\s+/, '');
  const cookies = value.split(';').map((cookie) => cookie.replace(/^[^=]*=/, '').trim());
  return [value, credential, ...cookies, ...(/^basic /i.test(value) ? [tokenOf(credential)] : [])];
}

function tokenOf(basic: string): string {
  const [user = '', ...rest] = Buffer.from(basic, 'base64').toString('utf8').split(':');
  const password = rest.join(':');
  // A forge takes a token as the user too, beside one of these.
  return ['', 'x-oauth-basic'].includes(password) ? user : password;
}
