// Where people reach the API server from elsewhere: through a proxy or tunnel of the operator's.
import { MurmurError } from '../contract/wire/errors.ts';
import type { Environment } from './environment.ts';
import { textOf } from './environment.ts';

const NAME = 'MURMUR_PUBLIC_URL';

/**
 * `MURMUR_PUBLIC_URL` without a slash at its end; undefined when it is not set. Throws INVALID_ARGUMENT, quoting the
 * value, for anything but the origin of an http or https URL: pages bind cookies to paths, so a prefix cannot be served.
 */
export function publicUrlOf(env: Environment): string | undefined {
  const text = textOf(env, NAME);
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && `${url.origin}/` === url.href) return url.origin;
  throw new MurmurError(
    'INVALID_ARGUMENT',
    `${NAME} is ${JSON.stringify(text)}: it needs an http or https URL without path and credentials`,
    { hint: `correct or unset ${NAME}` },
  );
}
