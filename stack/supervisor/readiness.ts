// Checks whether a process of the stack is ready.
import { setTimeout as delay } from 'node:timers/promises';
import { ask, type Question } from '../loopback.ts';

/** Interval of checks of a starting process. */
const POLL_MS = 50;

/** Time limit of one check. After it, the check is repeated. */
const ANSWER_MS = 2_000;

/** Polls until `check` is true. Resolves with false after the time limit. Rejects when the signal aborts. */
export async function waitUntil(check: () => Promise<boolean>, ms: number, signal?: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + ms;
  while (!(await check())) {
    signal?.throwIfAborted();
    if (performance.now() >= deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

/** Access to Temporal's HTTP API. */
export interface TemporalHttp extends Pick<Question, 'host' | 'tls'> {
  readonly url: string;
}

/** Whether the namespace is served and all search attributes are registered. */
export async function temporalIsReady(
  { url: base, ...access }: TemporalHttp,
  namespace: string,
  attributes: readonly string[],
): Promise<boolean> {
  const url = `${base}/cluster/namespaces/${encodeURIComponent(namespace)}/search-attributes`;
  const answer = (await ask(url, { ...access, limitMs: ANSWER_MS })) as
    | { customAttributes?: Record<string, string> }
    | undefined;
  const known = answer?.customAttributes;
  return known !== undefined && attributes.every((name) => Object.hasOwn(known, name));
}

/**
 * Whether the last of Temporal's services has started, which polls its own task queue. Until then the server answers
 * but may still end: some services listen on ports that it chooses, and it ends when one is taken (seen once in 150
 * starts).
 */
export async function temporalHasStarted({ url, ...access }: TemporalHttp): Promise<boolean> {
  const queue = 'temporal-system/task-queues/temporal-sys-processor-parent-close-policy';
  const answer = await ask(`${url}/api/v1/namespaces/${queue}`, { ...access, limitMs: ANSWER_MS });
  return ((answer as { pollers?: readonly unknown[] } | undefined)?.pollers ?? []).length > 0;
}

/** Whether the API server reports that it reaches Temporal and that a worker polls. */
export async function serverIsReady(apiUrl: string): Promise<boolean> {
  return (await ask(`${apiUrl}/ready`, { limitMs: ANSWER_MS })) !== undefined;
}
