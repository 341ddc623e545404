// Translates git's messages about an unusable remote into MurmurErrors.
import { MurmurError } from '../../contract/wire/errors.ts';
import { redactUrl, redactUrls } from '../../contract/wire/git-url.ts';

const NOT_FOUND =
  /repository .*not found|does not appear to be a git repository|does not exist|no such (file or directory|repository|project)|not a git repository|returned error: 404/i;
const NO_ACCESS =
  /authentication failed|could not read (username|password)|permission denied|host key verification failed|returned error: 40[13]|access denied|terminal prompts disabled|invalid (username|credentials)|dubious ownership|too many authentication failures/i;
const NO_CONNECTION =
  /could not resolve|connection (refused|timed out|reset)|timed out|network is unreachable|early eof|hung up|rpc failed|returned error: (429|5\d\d)|no route to host|failed to connect|couldn't connect/i;

/** Git's message for a redirect that it does not follow. */
export const REDIRECTED = /returned error: 30[12378]\b/;

/**
 * NOT_FOUND for a missing repository, FAILED_PRECONDITION when git has no access, UNAVAILABLE when the remote does not
 * answer. The message contains git's own text, without credentials.
 */
export function remoteError(url: string, stderr: string): MurmurError {
  const shown = redactUrl(url);
  const said = gitReason(stderr);
  const details = { clone_url: shown };
  if (NOT_FOUND.test(stderr)) {
    return new MurmurError('NOT_FOUND', `repository ${shown} is not there: ${said}`, {
      hint: 'check the URL, and that your git may read it',
      details,
    });
  }
  if (NO_ACCESS.test(stderr)) {
    return new MurmurError('FAILED_PRECONDITION', `git has no access to ${shown}: ${said}`, {
      hint: `make \`git ls-remote ${shown}\` work without a question, as the user who runs Murmur`,
      details,
    });
  }
  if (REDIRECTED.test(stderr)) {
    return new MurmurError('FAILED_PRECONDITION', `${shown} redirects to another server or to no repository: ${said}`, {
      hint: 'name the URL that it redirects to: your credentials are not taken to another server',
      details,
    });
  }
  if (NO_CONNECTION.test(stderr)) {
    return new MurmurError('UNAVAILABLE', `${shown} does not answer: ${said}`, { details });
  }
  return new MurmurError('FAILED_PRECONDITION', `git cannot clone ${shown}: ${said}`, { details });
}

/** The error for a branch that the repository does not have. */
export function branchMissing(url: string, branch: string): MurmurError {
  const shown = redactUrl(url);
  return new MurmurError('NOT_FOUND', `branch ${JSON.stringify(branch)} is not in ${shown}`, {
    hint: 'push the branch, or name another',
    details: { clone_url: shown, branch },
  });
}

/** Git's reason: its error lines, or the last line that it wrote. */
function gitReason(stderr: string): string {
  const lines = redactUrls(stderr)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const errors = lines.filter((line) => /^(fatal|error|remote|.*denied)/i.test(line));
  const words = (errors.length > 0 ? errors : lines.slice(-1)).join('; ');
  return words === '' ? 'git gave no reason' : words.slice(0, 500);
}
