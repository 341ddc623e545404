// The certificates of Temporal's relay and of its clients. An authority signs both. Its key is discarded, so that
// nothing can be signed later.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type { TemporalTls } from '../../contract/stack.ts';
import {
  certificate,
  FOR_CLIENTS,
  forServers,
  IS_AUTHORITY,
  keyPem,
  newKeys,
  SIGNS_CERTIFICATES,
  SIGNS_HANDSHAKES,
} from '../../runner/certificates/certificate.ts';
import type { KeyPair } from '../../runner/certificates/certificate.ts';

/** Certificate files of the relay. */
export interface ServerCertificate {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

export interface Certificates {
  readonly server: ServerCertificate;
  readonly client: TemporalTls;
}

const AUTHORITY = 'Murmur';
/** The name in the server's certificate. Clients check this name, so that the relay may have any address. */
const SERVER_NAME = 'temporal.murmur.internal';

/** Creates new certificates and writes them to the folder, each readable by its owner only. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const [authority, server, client] = await Promise.all([newKeys(), newKeys(), newKeys()]);
  const issuer = { name: AUTHORITY, key: authority.privateKey };
  const issue = (name: string, { publicKey }: KeyPair, extensions: readonly Buffer[]): string =>
    certificate({ name, publicKey, issuer, extensions });

  await mkdir(folder, { recursive: true, mode: 0o700 });
  const write = async (name: string, content: string): Promise<string> => {
    const file = join(folder, name);
    await writeFileAtomic(file, content, { mode: 0o600 });
    return file;
  };
  const [ca, serverFile, serverKey, clientFile, clientKey] = await Promise.all([
    write('ca.pem', issue(AUTHORITY, authority, [IS_AUTHORITY, SIGNS_CERTIFICATES])),
    write('server.pem', issue('Murmur relay', server, [SIGNS_HANDSHAKES, ...forServers([SERVER_NAME])])),
    write('server-key.pem', keyPem(server)),
    write('client.pem', issue('Murmur client', client, [SIGNS_HANDSHAKES, FOR_CLIENTS])),
    write('client-key.pem', keyPem(client)),
  ]);
  return {
    server: { ca, certificate: serverFile, key: serverKey },
    client: { ca, certificate: clientFile, key: clientKey, server_name: SERVER_NAME },
  };
}
