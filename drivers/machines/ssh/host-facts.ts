// Finds out what is needed to run our program on a host.
import { MurmurError } from '../../../contract/wire/errors.ts';
import type { Commands } from './exec.ts';

export interface HostFacts {
  /** Absolute path of a Node that runs our programs. */
  readonly node: string;
  /** The login's home, without links. */
  readonly home: string;
  /** Process of the ssh server that serves this connection, with the login's rights: its id and when it started. */
  readonly server: string;
}

/** The oldest Node that our bundles run on. */
const OLDEST_NODE = 22;
/** Up to some twenty programs are run for their version. The search ends at the first that is new enough. */
const LIMIT_MS = 30_000;

/**
 * Searches the places where people and distributions install Node. PATH comes first, but often finds a distribution's
 * Node that is too old. Before that, it ends an earlier connection of ours whose link died without notice: the host
 * would keep its ports and sessions.
 */
const SCRIPT = `
# The name in brackets may hold anything; the twentieth word after it is the time of the start.
born() { stat=$(cat "/proc/$1/stat" 2>/dev/null) || return; set -- \${stat##*) }; shift 19; echo "$1"; }
echo "server $PPID $(born "$PPID")"
echo "home $(cd 2>/dev/null && pwd -P)"
echo "named $HOME"
before=\${1%% *}
if [ -n "$1" ] && [ "$before $(born "$before")" = "$1" ]; then
  kill -KILL "$before" 2>/dev/null
  left=100
  while [ "$left" -gt 0 ] && kill -0 "$before" 2>/dev/null; do sleep 0.02; left=$((left - 1)); done
fi
for node in $2 "$(command -v node)" /usr/local/bin/node /opt/node/bin/node /opt/*/bin/node /usr/lib/nodejs/*/bin/node \\
  "$HOME"/.local/bin/node "$HOME"/.nvm/versions/node/*/bin/node "$HOME"/.volta/bin/node \\
  "$HOME"/.local/share/fnm/node-versions/*/installation/bin/node; do
  [ -x "$node" ] || continue
  version=$("$node" --version 2>/dev/null) || continue
  echo "node $version $node"
  version=\${version#v}
  [ "\${version%%.*}" -ge ${String(OLDEST_NODE)} ] && break
done
exit 0
`;

/**
 * @param predecessor `server` of an earlier connection of this process; empty for none
 * @param configured path of Node from the owner's configuration
 * @throws FAILED_PRECONDITION when no Node on the host is new enough; the error lists those found. Also when the login's
 * home is not there
 */
export async function findHostFacts(
  host: string,
  commands: Commands,
  predecessor: string,
  configured: string | undefined,
): Promise<HostFacts> {
  const args = ['-c', SCRIPT, 'sh', predecessor, configured ?? ''];
  const { stdout } = await commands.run({ command: '/bin/sh', args, cwd: '/', env: {} }, { timeoutMs: LIMIT_MS });
  const lines = stdout.split('\n');
  const valueOf = (name: string): string =>
    lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? '';
  const home = valueOf('home');
  if (home === '') {
    throw new MurmurError(
      'FAILED_PRECONDITION',
      `the login on host ${host} has no home: ${valueOf('named')} is not there`,
      {
        hint: 'create that folder on the host, and let the login write there',
        details: { host },
      },
    );
  }
  const nodes = lines.flatMap((line) => {
    const [, version, path] = /^node v(\S+) (.*)$/.exec(line) ?? [];
    return version === undefined || path === undefined ? [] : [{ version, path }];
  });
  const found = nodes.find(({ version }) => Number.parseInt(version, 10) >= OLDEST_NODE);
  if (found !== undefined) return { node: found.path, home, server: valueOf('server') };
  const tried = nodes.map(({ version, path }) => `${path} is ${version}`).join(', ');
  throw new MurmurError(
    'FAILED_PRECONDITION',
    `host ${host} has no Node ${String(OLDEST_NODE)} or newer${tried === '' ? '' : `: ${tried}`}`,
    { hint: `install one there, or write node: /path/to/node for ${host} in murmur.yaml`, details: { host } },
  );
}
