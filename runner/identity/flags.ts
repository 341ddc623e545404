// Node's own flags for runners.

/**
 * One megabyte of young objects instead of sixteen: a runner mostly waits. Measured after 50 turns: 76 instead of 91 MB, at
 * the same speed.
 */
export const RUNNER_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=1'];

/** Tells a process that serves several runners from others, with the folder of machines behind it. */
export const HOST_FLAG = '--host';
