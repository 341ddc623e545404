// What the demo's model says. Every answer depends on what the tools returned: it mends the sample because its test
// failed, commits because the test then passed, and pushes because it was asked to.
import type { ModelRequest } from './model/request.ts';
import type { ModelStep } from './model/step.ts';

/** The task, as a person would write it; it serves a real model as well. */
export const TASK =
  'The test of this project fails. Find out why, mend the code (not the test), run the test again and commit. ' +
  'Then run `node benchmark.js`, which may take long.';

/** Sent while the benchmark runs. */
export const FOLLOW_UP =
  'Skip the benchmark. Add a CHANGELOG.md with one line on the fix, commit it and push the branch to origin.';

/** A command that does not end by itself while the demo runs: what the interrupt is for. */
const LONG_COMMAND = 'node benchmark.js';

/** Answers a request of the demo's one agent. */
export function demoScript(request: ModelRequest): ModelStep {
  const returned = request.toolResults.at(-1)?.text ?? '';
  return request.prompt.includes('CHANGELOG') ? followUpTurn(request.step, returned) : firstTurn(request, returned);
}

function firstTurn(request: ModelRequest, returned: string): ModelStep {
  switch (request.step) {
    case 0:
      return bash("I'll run the test first to see how it fails.", 'pwd && node --test', 'Run the test');
    case 1: {
      if (!/not ok|fail [1-9]|✖/.test(returned)) return { text: 'The test passes already; there is nothing to mend.' };
      return {
        text: 'The total ignores the quantity. Reading the code.',
        tool: 'Read',
        input: { file_path: `${directoryOf(request)}/total.js` },
      };
    }
    case 2: {
      if (!returned.includes('all + item.price'))
        return { text: 'The code is not what the test suggests; I stop here.' };
      return {
        text: 'Each item counts once, whatever its quantity.',
        tool: 'Edit',
        input: {
          file_path: `${directoryOf(request)}/total.js`,
          old_string: 'all + item.price',
          new_string: 'all + item.price * item.quantity',
        },
      };
    }
    case 3:
      return bash('Running the test again.', 'node --test', 'Run the test again');
    case 4:
      if (/not ok|fail [1-9]/.test(returned)) return { text: 'The test still fails; I stop here.' };
      return bash(
        'It passes. Committing.',
        "git commit --all --message 'Count every piece of an item'",
        'Commit the fix',
      );
    default:
      return bash('Now the benchmark.', LONG_COMMAND, 'Run the benchmark');
  }
}

function followUpTurn(step: number, returned: string): ModelStep {
  switch (step) {
    case 0:
      return bash(
        'Leaving the benchmark. Writing the changelog.',
        "printf '# Changelog\\n\\n- Totals count every piece of an item.\\n' > CHANGELOG.md && git add CHANGELOG.md && " +
          "git commit --message 'Note the fix in the changelog'",
        'Write and commit the changelog',
      );
    case 1:
      if (!returned.includes('CHANGELOG.md')) return { text: `The commit did not work: ${returned}` };
      return bash('Pushing the branch.', 'git push --set-upstream origin HEAD', 'Push the branch');
    default:
      if (/error|fatal|rejected/i.test(returned)) return { text: `The push did not work: ${returned}` };
      return { text: 'Totals now count every piece of an item; the test passes and the branch is on origin.' };
  }
}

/** The working directory, as the first command printed it. */
function directoryOf(request: ModelRequest): string {
  return /(?<=\\n|")\/[^"\\]+(?=\\n)/.exec(JSON.stringify(request.body['messages']))?.[0] ?? '.';
}

function bash(text: string, command: string, description: string): ModelStep {
  return { text, tool: 'Bash', input: { command, description } };
}
