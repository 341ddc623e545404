// The instructions that a client's model reads once, for all tools together.

export const INSTRUCTIONS =
  'Murmur runs coding agents, each on its own machine and branch. `spawn` creates an agent with a task and returns at ' +
  'once. `wait` blocks until an agent needs attention. `status` and `ls` show the state of agents. `queue_add` sends a ' +
  'follow-up; call `interrupt` first to have it delivered at once. `kill` ends an agent and its descendants. Slugs are ' +
  'relative. For an agent, a slug names one of its children and an empty slug names the agent itself. For a person, a ' +
  'slug names an agent at the root. An absolute path, `/w/<workspace>/u/<account>/<slug>`, names any agent. Errors have ' +
  'a code and a hint that says what to do next.';
