// The pinned key of a host: configured by a person and compared at each connection. Never learned from the host.
import { createHash, timingSafeEqual } from 'node:crypto';
import { MurmurError } from '../../../contract/wire/errors.ts';

/** The public key of an ssh server, in wire format. */
export interface HostKey {
  readonly type: string;
  readonly blob: Buffer;
}

/** `SHA256:…`, as `ssh-keygen -l` shows it. */
export function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** Reads `<type> <base64>`, the form of a `.pub` file without its comment. Undefined for anything else. */
export function readHostKey(text: string): HostKey | undefined {
  const [type, encoded] = text.trim().split(/\s+/);
  if (type === undefined || encoded === undefined || !/^[A-Za-z0-9+/]+=*$/.test(encoded)) return undefined;
  const blob = Buffer.from(encoded, 'base64');
  return typeIn(blob) === type ? { type, blob } : undefined;
}

/** Whether the key that a server shows is a pinned one. */
export function isPinned(shown: Buffer, pinned: readonly HostKey[]): boolean {
  return pinned.some(({ blob }) => blob.length === shown.length && timingSafeEqual(blob, shown));
}

/** The error for a server whose key is not pinned. */
export function changedKey(host: string, shown: Buffer, pinned: readonly HostKey[]): MurmurError {
  const key = `${typeIn(shown) ?? 'unknown'} ${shown.toString('base64')}`;
  const expected = pinned.map(({ blob }) => fingerprintOf(blob)).join(', ');
  return new MurmurError(
    'FAILED_PRECONDITION',
    `host ${host} shows another key than the pinned one: ${fingerprintOf(shown)} instead of ${expected}`,
    {
      hint: `find out on the host whether it is its key; if so, write host_key: ${JSON.stringify(key)} for ${host} in murmur.yaml`,
      details: { host, shown: key },
    },
  );
}

/** Algorithms that make a server with several keys show one of a pinned type. */
export function keyAlgorithms(pinned: readonly HostKey[]): readonly string[] {
  return [...new Set(pinned.flatMap(({ type }) => (type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type])))];
}

/** The first field of a key on the wire is the name of its type. */
function typeIn(blob: Buffer): string | undefined {
  if (blob.length < 4) return undefined;
  const length = blob.readUInt32BE(0);
  return length > 64 || blob.length < 4 + length ? undefined : blob.toString('latin1', 4, 4 + length);
}
