// Finds out by a trial whether Temporal can have its own network namespace on this host.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { IsolationChoice } from '../../config/config.ts';
import { detectIsolation } from '../../runner/isolation/detect.ts';
import { findTool, namespaceTools } from '../../runner/isolation/namespace-tools.ts';

/**
 * A command that runs the words after it in a new network namespace, with its loopback interface up and a umask for
 * files that only the owner may read; or the reason why it is not possible.
 */
export type NetworkIsolation =
  | { readonly command: readonly string[]; readonly setpriv: string }
  | { readonly open: string };

/** A trial takes 10 ms. On a host where it hangs, namespaces count as unavailable. */
const TRIAL_LIMIT_MS = 10_000;

/** The same as for agents: the caller keeps its user id and gets all capabilities in the new namespace. */
const USER_NAMESPACE = ['--user', '--map-current-user', '--keep-caps'];

/** Temporal is isolated only where agents run in namespaces: without them, agents could enter Temporal's namespace. */
export async function findNetworkIsolation(choice: IsolationChoice): Promise<NetworkIsolation> {
  if (choice === 'tracking') return { open: 'MURMUR_ISOLATION=tracking: agents run without namespaces' };
  try {
    const { kind, reason = '' } = await detectIsolation(choice);
    if (kind === 'tracking') return { open: `namespaces do not work here: ${reason}` };
    return await tryNamespaces();
  } catch (error) {
    return { open: reasonOf(error) };
  }
}

/**
 * The loopback interface of a new namespace is down. Root without the right to configure networks, as in many
 * containers, has that right in a new user namespace.
 */
async function tryNamespaces(): Promise<NetworkIsolation> {
  const isRoot = process.getuid?.() === 0;
  const { setpriv, sh, unshare } = namespaceTools();
  const problems: string[] = [];
  for (const namespaces of isRoot ? [[], USER_NAMESPACE] : [USER_NAMESPACE]) {
    for (const { script, flags } of loopbackScripts()) {
      const command = [
        unshare,
        ...namespaces,
        '--net',
        ...flags,
        '--',
        sh,
        '-c',
        `${script} && umask 077 && exec "$@"`,
        'sh',
      ];
      const problem = await trialProblem([...command, sh, '-c', 'exit 0']);
      if (problem === undefined) return { command, setpriv };
      problems.push(problem);
    }
  }
  return { open: `a network namespace cannot be made: ${problems[0] ?? 'no program brings up its interface'}` };
}

/** Scripts that bring up the loopback interface, by preference. The last needs neither iproute2 nor net-tools. */
function loopbackScripts(): readonly { readonly script: string; readonly flags: readonly string[] }[] {
  const [ip, ifconfig, mount] = ['ip', 'ifconfig', 'mount'].map(findTool);
  return [
    ...(ip === undefined ? [] : [{ script: `${ip} link set lo up`, flags: [] }]),
    ...(ifconfig === undefined ? [] : [{ script: `${ifconfig} lo up`, flags: [] }]),
    ...(mount === undefined
      ? []
      : // 9 is IFF_UP and IFF_LOOPBACK. /sys shows the interfaces of the namespace that it was mounted in.
        [{ script: `${mount} -t sysfs sysfs /sys && echo 9 > /sys/class/net/lo/flags`, flags: ['--mount'] }]),
  ];
}

async function trialProblem([program = '', ...args]: readonly string[]): Promise<string | undefined> {
  try {
    await promisify(execFile)(program, args, { env: {}, cwd: '/', timeout: TRIAL_LIMIT_MS });
    return undefined;
  } catch (error) {
    const { stderr } = error as { readonly stderr?: string };
    return stderr?.trim().split('\n')[0] || reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
