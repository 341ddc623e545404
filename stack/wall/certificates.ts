// The certificates of the relay before Temporal and of its clients. An authority signs both and is thrown away, so that
// nothing can be signed later. Encoded here: the libraries that sign certificates bring 20 packages and a polyfill of
// globals (ADR 15).
import { generateKeyPair, randomBytes, sign, type KeyObject } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import writeFileAtomic from 'write-file-atomic';
import type { TemporalTls } from '../../contract/stack.ts';
import { bits, der, explicit, integer, objectId, octets, sequence } from './der.ts';

/** Files of the relay's own side. */
export interface ServerCertificate {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

export interface Certificates {
  readonly server: ServerCertificate;
  readonly client: TemporalTls;
}

/** The name in the server's certificate: clients ask for it by name, so that the address may be any. */
const SERVER_NAME = 'temporal.murmur.internal';

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const KEY_USAGE = '2.5.29.15';
const SUBJECT_ALT_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/**
 * Always valid: every start makes new ones, and a clock that is set while the stack runs must not end it. The second
 * value is RFC 5280's for a certificate without an end.
 */
const VALIDITY = sequence(der(0x17, Buffer.from('000101000000Z')), der(0x18, Buffer.from('99991231235959Z')));

/** Makes new certificates and writes them to the folder, each readable by its owner alone. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const [authority, server, client] = await Promise.all([newKeys(), newKeys(), newKeys()]);
  const issue = (name: string, keys: KeyPair, extensions: readonly Buffer[]): string =>
    pem(certificate({ name, publicKey: keys.publicKey, extensions }, authority.privateKey));
  const isAuthority = extension(BASIC_CONSTRAINTS, sequence(der(0x01, Buffer.from([0xff]))), true);
  const signsCertificates = extension(KEY_USAGE, bits(Buffer.from([0x04]), 2), true);
  const signs = extension(KEY_USAGE, bits(Buffer.from([0x80]), 7), true);
  const isFor = (purpose: string): Buffer => extension(EXTENDED_KEY_USAGE, sequence(objectId(purpose)));
  const named = extension(SUBJECT_ALT_NAME, sequence(der(0x82, Buffer.from(SERVER_NAME))));

  await mkdir(folder, { recursive: true, mode: 0o700 });
  const write = async (name: string, content: string): Promise<string> => {
    const file = join(folder, name);
    await writeFileAtomic(file, content, { mode: 0o600 });
    return file;
  };
  const [ca, serverFile, serverKey, clientFile, clientKey] = await Promise.all([
    write('ca.pem', issue(AUTHORITY, authority, [isAuthority, signsCertificates])),
    write('server.pem', issue('Murmur relay', server, [signs, isFor(SERVER_AUTH), named])),
    write('server-key.pem', keyPem(server)),
    write('client.pem', issue('Murmur client', client, [signs, isFor(CLIENT_AUTH)])),
    write('client-key.pem', keyPem(client)),
  ]);
  return {
    server: { ca, certificate: serverFile, key: serverKey },
    client: { ca, certificate: clientFile, key: clientKey, server_name: SERVER_NAME },
  };
}

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

interface Subject {
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

const AUTHORITY = 'Murmur';

async function newKeys(): Promise<KeyPair> {
  return await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
}

function certificate({ name, publicKey, extensions }: Subject, signingKey: KeyObject): Buffer {
  const algorithm = sequence(objectId(ECDSA_WITH_SHA256));
  const content = sequence(
    explicit(0, integer(Buffer.from([2]))), // version 3
    integer(randomBytes(16)),
    algorithm,
    nameOf(AUTHORITY),
    VALIDITY,
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions)),
  );
  return sequence(content, algorithm, bits(sign('sha256', content, signingKey)));
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

function keyPem({ privateKey }: KeyPair): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
