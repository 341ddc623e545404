// What the relay is told when it starts. Everything in it may be seen by anybody who lists processes.
import type { DevServerPorts } from '../temporal/dev-server.ts';
import type { ServerCertificate } from '../network/certificates.ts';

export interface RelayOrder {
  /** Starts the server so that it ends with the relay. */
  readonly setpriv: string;
  /** The Temporal server to run inside, and its arguments. */
  readonly binary: string;
  readonly args: readonly string[];
  /** Where it listens inside the namespace. */
  readonly inside: Pick<DevServerPorts, 'grpc' | 'http' | 'ui'>;
  readonly tls: ServerCertificate;
  readonly ui: {
    /** The host's port that its listeners are bound to. */
    readonly port: number;
    /** File to which the relay writes the key of this start. */
    readonly keyFile: string;
  };
  /** Inherited descriptors of listening sockets. */
  readonly descriptors: { readonly ui: readonly number[]; readonly tls: number };
}
