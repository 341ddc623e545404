// A self-signed certificate for the TLS server of the broker.
import { generateKeyPairSync } from 'node:crypto';
import { certificate, forServers, IS_AUTHORITY, keyPem } from '../../certificates/certificate.ts';

export interface OwnCertificate {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

const NAME = 'Murmur git broker';

/** A key and a certificate for these hosts: names, or addresses without brackets. */
export function makeCertificate(hosts: readonly string[]): OwnCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = { name: NAME, key: privateKey };
  const extensions = [IS_AUTHORITY, ...forServers(hosts)];
  return { key: keyPem({ privateKey }), cert: certificate({ name: NAME, publicKey, issuer, extensions }) };
}
