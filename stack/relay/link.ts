// Links to Temporal's Web UI. The host name contains the key: browsers would send a cookie of 127.0.0.1 to every port
// of this host, and relative URLs would lose a key in the path. Browsers resolve names below `localhost` themselves.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Validity of a link in milliseconds: a working day. */
export const LINK_MS = 8 * 60 * 60 * 1_000;

/** `<expiry in seconds, base 36>-<128 bits, hex>`: within the 63 characters of a label. */
const HOST = /^(?<expiry>[0-9a-z]{1,10})-(?<proof>[0-9a-f]{32})\.localhost:(?<port>\d{1,5})$/;

/** Host and port of a link that is valid for eight hours. */
export function linkHost(key: Uint8Array, port: number, now: number): string {
  const expiry = Math.floor((now + LINK_MS) / 1_000).toString(36);
  return `${expiry}-${proofOf(key, expiry).toString('hex')}.localhost:${port.toString()}`;
}

/** Whether a Host header belongs to a valid link: created with the key and not expired. */
export function isLinkHost(host: string | undefined, key: Uint8Array, port: number, now: number): boolean {
  const { expiry, port: named, proof } = HOST.exec(host ?? '')?.groups ?? {};
  if (expiry === undefined || proof === undefined || Number(named) !== port) return false;
  const isGenuine = timingSafeEqual(Buffer.from(proof, 'hex'), proofOf(key, expiry));
  return isGenuine && Number.parseInt(expiry, 36) * 1_000 > now;
}

function proofOf(key: Uint8Array, expiry: string): Buffer {
  return createHmac('sha256', key).update(`temporal-ui ${expiry}`).digest().subarray(0, 16);
}
