// Fields that say which agent is meant. Resolved by contract/wire/identity.ts, on the server.
import { z } from 'zod';

/** An existing agent: slug, path of slugs, or absolute path. Its form is checked when it is resolved. */
export const agentSlug = z
  .string({ error: (issue) => (issue.input === undefined ? 'slug required' : 'slug must be a string') })
  .default('')
  .describe(
    'The agent: its slug (`fix-auth`), a child as `parent/child`, or an absolute path ' +
      '`/w/<workspace>/u/<account>/<slug>`. An agent names its children so, and itself by an empty slug.',
  );

/** The workspace that relative slugs are resolved in. */
export const workspaceName = z
  .string()
  .optional()
  .describe('Workspace name. Overrides the value from murmur.yaml; without either it is `default`.');

/** The two fields that nearly every operation has. */
export const agentAddress = { slug: agentSlug, workspace: workspaceName } as const;
