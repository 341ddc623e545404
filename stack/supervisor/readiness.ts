// When a process of the stack is ready: asked of the process itself, or of Temporal.
import { setTimeout as delay } from 'node:timers/promises';
import { ask, type Question } from '../loopback.ts';

/** How often a process that starts is asked. */
const POLL_MS = 50;

/** An answer that takes longer is asked for again. */
const ANSWER_MS = 2_000;

/** Resolves with true once `check` does, or with false after the time limit. Rejects when the signal aborts. */
export async function waitUntil(check: () => Promise<boolean>, ms: number, signal?: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + ms;
  while (!(await check())) {
    signal?.throwIfAborted();
    if (performance.now() >= deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

/** The HTTP form of Temporal's API. */
export interface TemporalHttp extends Pick<Question, 'host' | 'tls'> {
  readonly url: string;
}

/** The namespace is served and every search attribute is registered. */
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
 * The last of Temporal's services to start polls its own task queue. Until then the server answers, but may still end: it
 * has services that listen on ports of its own choice, and ends when one of them is taken (seen once in 150 starts).
 */
export async function temporalHasStarted({ url, ...access }: TemporalHttp): Promise<boolean> {
  const queue = 'temporal-system/task-queues/temporal-sys-processor-parent-close-policy';
  const answer = await ask(`${url}/api/v1/namespaces/${queue}`, { ...access, limitMs: ANSWER_MS });
  return ((answer as { pollers?: readonly unknown[] } | undefined)?.pollers ?? []).length > 0;
}

/** The API server says so itself: it reaches Temporal, and a worker polls. */
export async function serverIsReady(apiUrl: string): Promise<boolean> {
  return (await ask(`${apiUrl}/ready`, { limitMs: ANSWER_MS })) !== undefined;
}
