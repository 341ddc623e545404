// The scripts that git starts inside the isolation as credential helper and as ssh. They contain no secrets. The helper
// reports that there are no credentials. The others pass their arguments and streams to the broker's socket and exit
// with its status.
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { shellWord } from '../git/config-file.ts';

/** Plain JavaScript for any Node: sends a request line and stdin, receives frames (see frames.ts). */
const CLIENT = `import { connect } from 'node:net';
const [directory, kind, ...args] = process.argv.slice(2);
const request = { kind, args, service: args[0], protocol: process.env.GIT_PROTOCOL ?? '' };
if (kind === 'local') args.shift();
// A socket's path has at most 107 bytes: the short relative one always fits.
process.chdir(directory);
const socket = connect({ path: 'git.sock', allowHalfOpen: true });
let pending = Buffer.alloc(0);
let status = 1;
socket.on('error', (error) => {
  process.stderr.write('murmur: no access to the caller\\'s git: ' + error.message + '\\n');
  process.exit(1);
});
socket.write(JSON.stringify(request) + '\\n');
process.stdin.pipe(socket);
process.stdout.on('error', () => socket.destroy());
socket.on('data', (chunk) => {
  pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
  while (pending.length >= 5) {
    const end = 5 + pending.readUInt32BE(1);
    if (pending.length < end) return;
    const channel = pending[0];
    const data = pending.subarray(5, end);
    if (channel === 3) {
      // Git may still hold our stdin open: it waits for this exit.
      status = data[0];
      socket.destroy();
    } else if (!(channel === 1 ? process.stdout : process.stderr).write(data)) {
      socket.pause();
      (channel === 1 ? process.stdout : process.stderr).once('drain', () => socket.resume());
    }
    pending = pending.subarray(end);
  }
});
socket.on('close', () => process.stdout.write('', () => process.exit(status)));
`;

/** Git asks a helper only after a server's refusal. For requests through the broker, that does not happen. */
const NO_CREDENTIALS = `#!/bin/sh
[ "$1" = get ] || exit 0
cat > /dev/null
cat >&2 <<'END'
murmur: no password is given to an agent. Git reaches the agent's own repositories with the access of the person who
runs Murmur; a person allows others with --allow-repo, or gives a token of its own with -e (GH_TOKEN for gh).
END
`;

export interface WrittenScripts {
  readonly credential: string;
  readonly ssh: string;
  /** Values of `remote.origin.uploadpack` and `receivepack` for a repository on the caller's disk. */
  readonly local: Readonly<Record<'git-upload-pack' | 'git-receive-pack', string>>;
}

/**
 * Writes the scripts into `<run>/bin`. `node` is an absolute path. Recreates every file, so that it never writes
 * through a link. No process of the agent may run meanwhile.
 */
export function writeScripts(run: string, node: string): WrittenScripts {
  const bin = path.join(run, 'bin');
  rmSync(bin, { recursive: true, force: true });
  mkdirSync(bin);
  chmodSync(bin, 0o755);
  const client = path.join(bin, 'broker-client.mjs');
  create(client, CLIENT, 0o644);
  const credential = path.join(bin, 'git-credential-murmur');
  create(credential, NO_CREDENTIALS, 0o755);
  const script = (name: string, ...request: readonly string[]): string => {
    const file = path.join(bin, name);
    const words = [node, client, run, ...request].map(shellWord).join(' ');
    create(file, `#!/bin/sh\nexec ${words} "$@"\n`, 0o755);
    return file;
  };
  return {
    credential,
    ssh: script('git-ssh-murmur', 'ssh'),
    local: {
      'git-upload-pack': script('git-upload-pack-murmur', 'local', 'git-upload-pack'),
      'git-receive-pack': script('git-receive-pack-murmur', 'local', 'git-receive-pack'),
    },
  };
}

function create(file: string, text: string, mode: number): void {
  writeFileSync(file, text, { flag: 'wx' });
  // The umask applies to the mode of writeFile.
  chmodSync(file, mode);
}
