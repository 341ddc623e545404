// The model's answers to each agent of the tree demo. Every answer depends on tool results and received messages: the
// lead redirects a child because the child reports a failing test, and merges when all children are done.
import type { ModelRequest } from './model/request.ts';
import type { ModelStep } from './model/step.ts';

/** The first tree's task, written like by a person. */
export const LEAD_TASK =
  'Prepare the next release of this project with a team: the totals are wrong, prices need a format, and the ' +
  'documentation needs examples. Merge what your team pushes, run the tests, push your branch and upload a report.';

/** The second tree's task. It takes long enough for the tree to be killed while it works. */
export const GUARD_TASK = 'Measure the speed of this project for an hour, from two sides.';

/** Starts the lead's answer after it has merged all branches. */
export const MERGED = 'All branches are merged';

/** Starts the answer of an agent whose task failed. */
export const NOT_DONE = 'Not done:';

/** The lead's follow-up to a child whose task failed. */
export const ADVICE = 'Use toFixed(2), which keeps the zeros.';

const TEAM = {
  totals: 'Fix total.js: multiply each price by the quantity. The tests must pass.',
  format: 'Add format.js with a function that formats a price with two decimals, and a test.',
  docs: 'Write USAGE.md. Spawn an agent that collects the examples, and merge its branch.',
} as const;

const EXAMPLES_TASK = 'Collect two examples of calls to total() in EXAMPLES.md.';

const SIDES = {
  north: 'Measure it from the north, and spawn a helper.',
  south: 'Measure it from the south.',
} as const;

const HELPER_TASK = 'Help measure it.';

/** The role of each agent, by its task. */
const PARTS: readonly (readonly [task: string, part: (request: ModelRequest) => ModelStep])[] = [
  [LEAD_TASK, lead],
  [TEAM.totals, totals],
  [TEAM.format, format],
  [TEAM.docs, docs],
  [EXAMPLES_TASK, examples],
  [GUARD_TASK, (request) => spawnThenMeasure(request, SIDES)],
  [SIDES.north, (request) => spawnThenMeasure(request, { helper: HELPER_TASK })],
  [SIDES.south, (request) => spawnThenMeasure(request, {})],
  [HELPER_TASK, (request) => spawnThenMeasure(request, {})],
];

/** Answers a model request of any agent of the demo. */
export function treeScript(request: ModelRequest): ModelStep {
  const told = request.messages.filter(({ role }) => role === 'user').map(({ text }) => text);
  const [, part] = PARTS.find(([task]) => told.some((text) => text.includes(task))) ?? [];
  return part?.(request) ?? { text: 'This task is not part of the demo.' };
}

function lead(request: ModelRequest): ModelStep {
  return request.prompt.includes('[child_lifecycle]') ? handleReports(request) : spawnTeam(request, TEAM);
}

/** Two steps: find the project's origin, then spawn all children at once. */
function spawnTeam(request: ModelRequest, team: Readonly<Record<string, string>>): ModelStep {
  if (request.step === 0) return bash('Where does this project come from?', 'git remote get-url origin');
  if (request.step > 1) return { text: `${Object.keys(team).join(', ')} are working; they report when they are done.` };
  const repos = [{ clone_url: returned(request).trim(), base_branch: 'main' }];
  return {
    text: `Spawning ${Object.keys(team).join(', ')}.`,
    tools: Object.entries(team).map(([slug, description]) => ({
      tool: 'mcp__murmur__spawn',
      input: { slug, description: `${description} Push your branch when you are done.`, repos },
    })),
  };
}

function handleReports(request: ModelRequest): ModelStep {
  if (request.step > 0) return continueTurn(request);
  const failed = reportsIn(request.prompt).find(({ answer }) => answer.startsWith(NOT_DONE));
  if (failed !== undefined) {
    const input = { slug: failed.slug, description: ADVICE };
    return { text: `${failed.slug} needs a hint.`, tool: 'mcp__murmur__queue_add', input };
  }
  const said = request.messages.some(({ role, text }) => role === 'assistant' && text.includes(MERGED));
  if (said) return { text: 'That branch is already merged.' };
  const done = latestReports(request).filter(({ answer }) => !answer.startsWith(NOT_DONE));
  const missing = Object.keys(TEAM).filter((slug) => !done.some((report) => report.slug === slug));
  if (missing.length > 0) return { text: `Waiting for ${missing.join(' and ')}.` };
  return bash(
    'All are done. Merging their branches and running the tests.',
    'git fetch --quiet origin && own=$(git branch --show-current) && ' +
      `for child in ${Object.keys(TEAM).join(' ')}; do git merge --quiet --no-edit "origin/\${own}_$child" || exit 1; done && ` +
      'node --test && git push --quiet origin HEAD && echo pushed',
  );
}

/** Continues a turn after a hint, or from merge to report to upload. */
function continueTurn(request: ModelRequest): ModelStep {
  const text = returned(request);
  if (text.includes('follow-up sent')) return { text: 'It tries again.' };
  if (request.step === 1) {
    if (!/^pushed$/m.test(text)) return { text: `The merge did not work: ${text}` };
    const report = 'git log --format="- %s" origin/main..HEAD > "$HOME/report.md" && echo "$HOME/report.md"';
    return bash('Merged and pushed. Writing the report.', report);
  }
  if (request.step === 2) {
    return { tool: 'mcp__murmur__upload', input: { filename: 'report.md', path: text.trim() } };
  }
  return { text: `${MERGED}, the tests pass. The report: ${/https?:[^\s"\\]+/.exec(text)?.[0] ?? text}` };
}

function totals(request: ModelRequest): ModelStep {
  if (request.step > 0) return pushedOrNot(request, 'The totals count every piece.');
  return bash(
    'The sum ignores the quantity.',
    `sed -i 's/all + item.price,/all + item.price * item.quantity,/' total.js && ${commitAndPush('Count every piece')}`,
  );
}

function format(request: ModelRequest): ModelStep {
  const isSecondTry = request.prompt.includes(ADVICE);
  if (request.step > 0) return pushedOrNot(request, 'Prices have two decimals.');
  const test =
    "import assert from 'node:assert/strict';\\nimport { test } from 'node:test';\\nimport { format } from './format.js';\\n" +
    "test('keeps the zeros', () => assert.equal(format(1.5), '1.50'));\\n";
  const body = isSecondTry ? 'price.toFixed(2)' : 'String(price)';
  return bash(
    isSecondTry ? 'Using toFixed.' : 'A function and its test.',
    `printf "export const format = (price) => ${body};\\n" > format.js && printf "${test}" > format.test.js && ` +
      `node --test format.test.js && git add --all && git commit --quiet --message 'Format prices' && ${PUSH}`,
  );
}

function docs(request: ModelRequest): ModelStep {
  if (request.prompt.includes('[child_lifecycle]')) return { text: 'Done: the examples are in USAGE.md.' };
  if (request.step < 2) return spawnTeam(request, { examples: EXAMPLES_TASK });
  if (request.step === 2) {
    return { text: 'Waiting for it.', tool: 'mcp__murmur__wait', input: { slug: 'examples', phase: 'task-complete' } };
  }
  if (request.step > 3) return pushedOrNot(request, 'USAGE.md has examples.');
  return bash(
    'The examples are ready. Merging them.',
    'git fetch --quiet origin && git merge --quiet --no-edit "origin/$(git branch --show-current)_examples" && ' +
      `printf '# Usage\\n\\n' | cat - EXAMPLES.md > USAGE.md && git add --all && git commit --quiet --message 'Describe the usage' && ${PUSH}`,
  );
}

function examples(request: ModelRequest): ModelStep {
  if (request.step > 0) return pushedOrNot(request, 'EXAMPLES.md has two examples.');
  return bash(
    'Two examples are enough.',
    "printf -- '- total([{ price: 3, quantity: 2 }])\\n- total([], 0.5)\\n' > EXAMPLES.md && git add --all && " +
      `git commit --quiet --message 'Collect examples' && ${PUSH}`,
  );
}

function spawnThenMeasure(request: ModelRequest, team: Readonly<Record<string, string>>): ModelStep {
  const spawning = Object.keys(team).length > 0;
  if (spawning && request.step < 2) return spawnTeam(request, team);
  return bash('Measuring.', 'node benchmark.js');
}

const PUSH = 'git push --quiet origin HEAD && echo pushed';

function commitAndPush(message: string): string {
  return `node --test && git commit --quiet --all --message '${message}' && ${PUSH}`;
}

function pushedOrNot(request: ModelRequest, what: string): ModelStep {
  const text = returned(request);
  if (/^pushed$/m.test(text)) return { text: `Done: ${what} The branch is on origin.` };
  const reason = /expected: .*|error: .*|fatal: .*/i.exec(text)?.[0] ?? text.slice(0, 200);
  return { text: `${NOT_DONE} the test or the push fails (${reason}).` };
}

interface ChildReport {
  readonly slug: string;
  readonly answer: string;
}

/** The children's answers at the end of their turns. */
function reportsIn(text: string): readonly ChildReport[] {
  const pattern = /Your child agent `([^`]+)` is [a-z-]+ [^\n]*\nIts last answer:\s+([^\n]+)/g;
  return [...text.matchAll(pattern)].map(([, slug = '', answer = '']) => ({ slug, answer }));
}

/** The latest answer of each child. */
function latestReports(request: ModelRequest): readonly ChildReport[] {
  const all = request.messages.filter(({ role }) => role === 'user').flatMap(({ text }) => reportsIn(text));
  return [...new Map(all.map((report) => [report.slug, report])).values()];
}

function returned(request: ModelRequest): string {
  return request.toolResults.map(({ text }) => text).join('\n');
}

function bash(text: string, command: string): ModelStep {
  return { text, tool: 'Bash', input: { command, description: text } };
}
