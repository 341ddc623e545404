// The agent program for a model. Loaded by the workflow sandbox.
import type { BackendName } from './agent.ts';

/** The backend for a model. `fake` is for tests and needs no account. */
export function backendOf(model: string | undefined): BackendName {
  return model !== undefined && /^fake\b/.test(model) ? 'fake' : 'claude';
}
