import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  certificate,
  FOR_CLIENTS,
  forServers,
  IS_AUTHORITY,
  newKeys,
  SIGNS_HANDSHAKES,
} from '../../../runner/certificates/certificate.ts';
import { der, integer, objectId } from '../../../runner/certificates/der.ts';

describe('DER', () => {
  it.each([
    [[0x7f], '02017f'],
    [[0x80], '02020080'],
    [[0, 0x7f], '02017f'],
    [[0, 0, 0x80, 1], '0203008001'],
    [[0, 0], '020100'],
    [[], '020100'],
  ])('encodes the number with the bytes %j in its shortest form', (bytes, expected) => {
    expect(integer(Uint8Array.from(bytes)).toString('hex')).toBe(expected);
  });

  it('writes long lengths and large parts of identifiers', () => {
    expect(der(0x04, Buffer.alloc(0x80)).subarray(0, 3).toString('hex')).toBe('048180');
    expect(der(0x04, Buffer.alloc(0x1234)).subarray(0, 4).toString('hex')).toBe('04821234');
    expect(objectId('1.2.840.10045.4.3.2').toString('hex')).toBe('06082a8648ce3d040302');
  });
});

describe('a certificate', () => {
  it("has the fields of its request, names and addresses of servers, and verifies with its issuer's key", async () => {
    const [authority, server] = await Promise.all([newKeys(), newKeys()]);
    const issuer = { name: 'Authority', key: authority.privateKey };
    const root = new X509Certificate(
      certificate({ name: 'Authority', publicKey: authority.publicKey, issuer, extensions: [IS_AUTHORITY] }),
    );
    const hosts = ['a.example', '127.0.0.1', '::1', '2001:db8::2'];
    const extensions = [SIGNS_HANDSHAKES, ...forServers(hosts)];
    const leaf = new X509Certificate(certificate({ name: 'Server', publicKey: server.publicKey, issuer, extensions }));
    expect([root.ca, leaf.ca]).toEqual([true, false]);
    expect(leaf.subject).toBe('CN=Server');
    expect(leaf.subjectAltName).toBe(
      'DNS:a.example, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:2001:DB8:0:0:0:0:0:2',
    );
    expect([leaf.verify(authority.publicKey), leaf.verify(server.publicKey)]).toEqual([true, false]);
    expect(leaf.checkIssued(root)).toBe(true);
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    const client = certificate({ name: 'Client', publicKey: server.publicKey, issuer, extensions: [FOR_CLIENTS] });
    expect(new X509Certificate(client).keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  });

  it('is accepted for every random serial number', async () => {
    const { publicKey, privateKey } = await newKeys();
    const issuer = { name: 'x', key: privateKey };
    // One in 500 numbers began with a zero byte, and no program accepted that certificate.
    for (let count = 0; count < 3_000; count += 1) {
      const pem = certificate({ name: 'x', publicKey, issuer, extensions: [] });
      expect(() => new X509Certificate(pem)).not.toThrow();
    }
  });
});
