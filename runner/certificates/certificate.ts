// X.509 certificates for Murmur's TLS servers and clients. Node cannot create certificates, and libraries for it need
// 20 packages and a polyfill of globals (ADR 15). Only encodes, with built-ins alone: part of the runner's bundle.
import { generateKeyPair, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP, isIPv6 } from 'node:net';
import { promisify } from 'node:util';
import { bits, der, explicit, integer, objectId, octets, sequence } from './der.ts';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export interface CertificateRequest {
  /** Common name, for people. */
  readonly name: string;
  readonly publicKey: KeyObject;
  /** The signer; for a self-signed certificate, its own name and key. */
  readonly issuer: { readonly name: string; readonly key: KeyObject };
  /** Extensions that say what it is for; see the constants below. */
  readonly extensions: readonly Buffer[];
}

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const KEY_USAGE = '2.5.29.15';
const SUBJECT_ALT_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/**
 * Always valid: every start creates a new certificate, and a change of the clock must not invalidate it. The second
 * value is RFC 5280's for a certificate without expiry.
 */
const VALIDITY = sequence(der(0x17, Buffer.from('000101000000Z')), der(0x18, Buffer.from('99991231235959Z')));

/** A key on the curve P-256. */
export async function newKeys(): Promise<KeyPair> {
  return await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
}

/** The certificate as PEM, version 3, signed with ECDSA and SHA-256. */
export function certificate({ name, publicKey, issuer, extensions }: CertificateRequest): string {
  const algorithm = sequence(objectId(ECDSA_WITH_SHA256));
  const content = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(randomBytes(16)),
    algorithm,
    nameOf(issuer.name),
    VALIDITY,
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions)),
  );
  return pem(sequence(content, algorithm, bits(sign('sha256', content, issuer.key))));
}

/** The key as PEM. */
export function keyPem({ privateKey }: Pick<KeyPair, 'privateKey'>): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** The certificate is a root of trust. */
export const IS_AUTHORITY = extension(BASIC_CONSTRAINTS, sequence(der(0x01, Buffer.from([0xff]))), true);

/** Its key may only sign certificates. */
export const SIGNS_CERTIFICATES = extension(KEY_USAGE, bits(Buffer.from([0x04]), 2), true);

/** Its key may only sign handshakes. */
export const SIGNS_HANDSHAKES = extension(KEY_USAGE, bits(Buffer.from([0x80]), 7), true);

/** It authenticates a client. */
export const FOR_CLIENTS = extension(EXTENDED_KEY_USAGE, sequence(objectId(CLIENT_AUTH)));

/** It authenticates a server with these names: DNS names, or addresses without brackets. */
export function forServers(hosts: readonly string[]): readonly Buffer[] {
  const names = hosts.map((host) => (isIP(host) === 0 ? der(0x82, Buffer.from(host)) : der(0x87, address(host))));
  return [
    extension(EXTENDED_KEY_USAGE, sequence(objectId(SERVER_AUTH))),
    extension(SUBJECT_ALT_NAME, sequence(...names)),
  ];
}

function nameOf(commonName: string): Buffer {
  return sequence(der(0x31, sequence(objectId(COMMON_NAME), der(0x0c, Buffer.from(commonName)))));
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  const critical = isCritical ? [der(0x01, Buffer.from([0xff]))] : [];
  return sequence(objectId(id), ...critical, octets(value));
}

function pem(content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

/** The bytes of an IP address. */
function address(host: string): Buffer {
  if (!isIPv6(host)) return Buffer.from(host.split('.').map(Number));
  const [head = '', tail] = (URL.parse(`http://[${host}]`)?.hostname.slice(1, -1) ?? host).split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const right = groups(tail ?? '');
  const left = groups(head);
  const middle = Array.from({ length: tail === undefined ? 0 : 8 - left.length - right.length }, () => '0');
  return Buffer.from([...left, ...middle, ...right].map((group) => group.padStart(4, '0')).join(''), 'hex');
}
