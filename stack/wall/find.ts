// Whether Temporal can have a network namespace of its own on this host, found out by trying it.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { IsolationChoice } from '../../config/config.ts';
import { detectIsolation } from '../../runner/isolation/detect.ts';
import { findTool, namespaceTools } from '../../runner/isolation/namespace-tools.ts';

/**
 * A command that runs the words after it in a network namespace whose loopback interface is up, and whose files are the
 * owner's alone; or why there is none.
 */
export type Wall = { readonly command: readonly string[]; readonly setpriv: string } | { readonly open: string };

/** A trial takes 10 ms; a host on which it hangs has no namespaces to offer. */
const TRIAL_LIMIT_MS = 10_000;

/** As isolation makes it: the caller keeps its user id and gets the rights over the new namespace. */
const USER_NAMESPACE = ['--user', '--map-current-user', '--keep-caps'];

/** Temporal gets a wall wherever agents run in namespaces: without those they could enter this one. */
export async function findWall(choice: IsolationChoice): Promise<Wall> {
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
 * The new namespace's interface is down. Root without the right to configure networks, as in many containers, has that
 * right in a user namespace of its own.
 */
async function tryNamespaces(): Promise<Wall> {
  const isRoot = process.getuid?.() === 0;
  const { setpriv, sh, unshare } = namespaceTools();
  const problems: string[] = [];
  for (const namespaces of isRoot ? [[], USER_NAMESPACE] : [USER_NAMESPACE]) {
    for (const { script, flags } of waysUp()) {
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

/** Ways to bring the loopback interface up, the usual ones first; the last needs neither iproute2 nor net-tools. */
function waysUp(): readonly { readonly script: string; readonly flags: readonly string[] }[] {
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
