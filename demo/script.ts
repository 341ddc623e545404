// The answers of the demo's model. Every answer depends on the results of the tools: the model fixes the sample because
// the test failed, commits because the test then passed, and pushes because the follow-up asks for it.
import type { ModelRequest } from './model/request.ts';
import type { ModelStep } from './model/step.ts';

/** The task, written like by a person; it also works with a real model. */
export const TASK =
  'The test of this project fails. Find out why, fix the code (not the test), run the test again and commit. ' +
  'Then run `node benchmark.js`, which can take a long time.';

/** Sent while the benchmark runs. */
export const FOLLOW_UP =
  'Skip the benchmark. Add a CHANGELOG.md with one line on the fix, commit it and push the branch to origin.';

/** A command that runs longer than the demo, so that the agent must be interrupted. */
const LONG_COMMAND = 'node benchmark.js';

/** Answers a model request of the demo's agent. */
export function demoScript(request: ModelRequest): ModelStep {
  const returned = request.toolResults.at(-1)?.text ?? '';
  return request.prompt.includes('CHANGELOG') ? followUpTurn(request.step, returned) : firstTurn(request, returned);
}

function firstTurn(request: ModelRequest, returned: string): ModelStep {
  switch (request.step) {
    case 0:
      return bash("I'll run the test first to see how it fails.", 'pwd && node --test', 'Run the test');
    case 1: {
      if (!/not ok|fail [1-9]|✖/.test(returned)) return { text: 'The test passes already; there is nothing to fix.' };
      return {
        text: 'The total ignores the quantity. Reading the code.',
        tool: 'Read',
        input: { file_path: `${directoryOf(request)}/total.js` },
      };
    }
    case 2: {
      if (!returned.includes('all + item.price'))
        return { text: 'total.js does not have the expected line; stopping.' };
      return {
        text: 'Each item counts once, even if its quantity is higher.',
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
      if (/not ok|fail [1-9]/.test(returned)) return { text: 'The test still fails; stopping.' };
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
        'Skipping the benchmark. Writing the changelog.',
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

/** The working directory, from the output of the first command. */
function directoryOf(request: ModelRequest): string {
  return /(?<=\\n|")\/[^"\\]+(?=\\n)/.exec(JSON.stringify(request.body['messages']))?.[0] ?? '.';
}

function bash(text: string, command: string, description: string): ModelStep {
  return { text, tool: 'Bash', input: { command, description } };
}
