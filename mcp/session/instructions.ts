// What a client's model is told once of all tools together.

export const INSTRUCTIONS =
  'Murmur runs coding agents, each on a machine and a branch of its own. `spawn` gives one a task and returns at once; ' +
  '`wait` blocks until it needs attention; `status` and `ls` show where agents are; `queue_add` sends a follow-up, ' +
  'and `interrupt` before it makes room at once; `kill` ends an agent with everything beneath it. Slugs are relative: ' +
  'for an agent they name its own children and an empty slug names itself, for a person they name agents at the root. ' +
  'An absolute path, `/w/<workspace>/u/<account>/<slug>`, names any other. Failures carry a code and a hint of what to ' +
  'do next.';
