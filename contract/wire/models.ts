// Which agent program a model runs in. Loaded by the workflow sandbox.
import type { BackendName } from './agent.ts';

/** A model implies its program. `fake` is the one of the tests, which needs no account. */
export function backendOf(model: string | undefined): BackendName {
  return model !== undefined && /^fake\b/.test(model) ? 'fake' : 'claude';
}
