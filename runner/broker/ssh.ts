// Which ssh the caller's git would start. Imports nothing of Murmur.

export interface SshCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * The caller's ssh with these arguments, chosen as git does: GIT_SSH_COMMAND (for a shell), then `core.sshCommand`
 * (likewise), then GIT_SSH (a program), then `ssh`.
 */
export function callerSsh(env: NodeJS.ProcessEnv, args: readonly string[], configured: string | undefined): SshCommand {
  const shell = env['GIT_SSH_COMMAND'] ?? configured;
  if (shell !== undefined && shell !== '') return { command: '/bin/sh', args: ['-c', `${shell} "$@"`, 'ssh', ...args] };
  return { command: env['GIT_SSH'] ?? 'ssh', args };
}
