// Resolves the isolation that a provider wants into one that works on this machine, by a trial in the runner.
import { realpathSync } from 'node:fs';
import type { IsolationSpec, IsolationRequest } from '../../contract/wire/isolation.ts';
import { detectIsolation } from './detect.ts';
import type { DetectedIsolation } from './detect.ts';
import { ownerHome } from './owner-home.ts';

/**
 * User of the agent when a root runner was not given one. Differs from the users that the provider `local` assigns
 * (drivers/machines/local/users.ts) and from that of the trial.
 */
const AGENT_UID = 1_909_999_998;

/** A trial takes 20 ms, and what works does not change while a host is up. */
const trials = new Map<IsolationRequest['choice'], Promise<DetectedIsolation>>();

/**
 * Returns the isolation to create. A spec is returned as it is; a request is resolved by a trial, once per process.
 * @param env the runner's environment: names the HOME that an agent without its own user shares
 * @throws FAILED_PRECONDITION if namespaces are requested and do not work
 */
export async function resolveIsolation(
  asked: IsolationSpec | IsolationRequest,
  env: Readonly<Record<string, string | undefined>>,
): Promise<IsolationSpec> {
  if (!('choice' in asked)) return asked;
  const { choice, uid, hide, keep, ...plan } = asked;
  const { kind, ownUser, limitsInForce } = await trial(choice);
  // An agent with the caller's user id could change every file of the caller, so it sees only programs.
  const programs = [process.execPath, ...keep].flatMap((path) => real(path));
  const covered = kind === 'namespace' && !ownUser ? ownerHome(env, programs) : undefined;
  return {
    ...plan,
    kind,
    ...(ownUser ? { uid: uid ?? AGENT_UID } : {}),
    hide: covered === undefined ? hide : [...hide, covered.home],
    keep: covered === undefined ? keep : [...keep, ...covered.shown],
    ...(limitsInForce === undefined ? {} : { limitsInForce }),
  };
}

function trial(choice: IsolationRequest['choice']): Promise<DetectedIsolation> {
  const known = trials.get(choice);
  if (known !== undefined) return known;
  const detected = detectIsolation(choice);
  trials.set(choice, detected);
  // The failure may be temporary, so the next call tries again.
  detected.catch(() => trials.delete(choice));
  return detected;
}

function real(path: string): readonly string[] {
  try {
    return [realpathSync(path)];
  } catch {
    return [];
  }
}
