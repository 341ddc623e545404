// The start parameters of the relay. They contain no secrets: every user can see them in the list of processes.
import type { DevServerPorts } from '../temporal/dev-server.ts';
import type { ServerCertificate } from '../network/certificates.ts';

export interface RelayOrder {
  /** Path of `setpriv`, which makes the server end with the relay. */
  readonly setpriv: string;
  /** The Temporal server to run inside, and its arguments. */
  readonly binary: string;
  readonly args: readonly string[];
  /** Temporal's ports inside the namespace. */
  readonly inside: Pick<DevServerPorts, 'grpc' | 'http' | 'ui'>;
  readonly tls: ServerCertificate;
  readonly ui: {
    /** The host's port to which the listeners are bound. */
    readonly port: number;
    /** File to which the relay writes the key of this start. */
    readonly keyFile: string;
  };
  /** Inherited descriptors of listening sockets. */
  readonly descriptors: { readonly ui: readonly number[]; readonly tls: number };
}
