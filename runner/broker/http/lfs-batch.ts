// A git-lfs server says with which header each file is fetched; some repeat the one that they were asked with. Imports
// nothing.

/** A shorter password is in every text by accident; the header that holds it is not. */
const SHORTEST = 8;

/** The answer without that header: the broker adds it again when the file is fetched. */
export function withoutSecrets(answer: string, authorization: string): string {
  const secret = authorization.replace(/^\S+\s+/, '');
  const password = /^basic /i.test(authorization)
    ? Buffer.from(secret, 'base64')
        .toString('utf8')
        .replace(/^[^:]*:/, '')
    : secret;
  let value: unknown;
  try {
    value = JSON.parse(answer);
  } catch {
    return '';
  }
  const holds = (text: string): boolean =>
    [secret, password].some((each) => each.length >= SHORTEST && text.includes(each));
  const cleaned = (each: unknown): unknown => {
    if (Array.isArray(each)) return each.filter((part) => typeof part !== 'string' || !holds(part)).map(cleaned);
    if (typeof each !== 'object' || each === null) return each;
    const kept = Object.entries(each).filter(([, part]) => typeof part !== 'string' || !holds(part));
    return Object.fromEntries(kept.map(([name, part]) => [name, cleaned(part)]));
  };
  return JSON.stringify(cleaned(value));
}
