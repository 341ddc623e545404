// Fields that address an agent. The server resolves them (contract/wire/identity.ts).
import { z } from 'zod';

/** An existing agent: slug, path of slugs, or absolute path. The server checks the form when it resolves it. */
export const agentSlug = z
  .string({ error: (issue) => (issue.input === undefined ? 'slug required' : 'slug must be a string') })
  .default('')
  .describe(
    'The agent: its slug (`fix-auth`), a child as `parent/child`, or an absolute path ' +
      '`/w/<workspace>/u/<account>/<slug>`. For an agent, slugs name its children, and an empty slug names itself.',
  );

/** The workspace that relative slugs are resolved in. */
export const workspaceName = z
  .string()
  .optional()
  .describe('Workspace name. Overrides the value from murmur.yaml; without either it is `default`.');

/** The two fields of nearly every operation. */
export const agentAddress = { slug: agentSlug, workspace: workspaceName } as const;
