// The texts that Murmur itself sends to the agent. Pure: contract/wire only.
import type { AgentSpec, RepoSpec } from '../../../contract/wire/agent.ts';
import type { BudgetNotice } from '../../../contract/wire/budget.ts';
import type { Task } from '../../../contract/wire/tasks.ts';
import type { BranchState, FollowUp, NoteKind, TurnError } from '../../../contract/wire/turns.ts';
import { head } from '../timeline.ts';

/** Sender of Murmur's own messages. */
export const MURMUR = 'murmur';

/**
 * A message from Murmur itself. Its id is the kind of note and a number, so the same state always produces the same id.
 */
export function systemNote(text: string, note: NoteKind, number: number, at: string): FollowUp {
  return { id: `${note}-${number}`, kind: 'system', note, text: { text }, from: MURMUR, at };
}

/** The requested result and the checklist, which accompany the prompt. Undefined when there is neither. */
export function instructions(spec: AgentSpec, subjects: readonly string[]): string | undefined {
  const parts = [outInstructions(spec.out, spec.repos), checklistText(subjects)].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join('\n\n');
}

/** The `out` option in words; free text is passed verbatim. */
function outInstructions(out: string | undefined, repos: readonly RepoSpec[]): string | undefined {
  if (out === undefined || out === '') return undefined;
  if (out === 'respond') {
    return 'Result: answer in your last message. Nothing has to be committed or pushed.';
  }
  if (out !== 'push') return out;
  const branches = repos.map((repo) => `\`${repo.branch}\``).join(', ');
  return `Result: commit your work on ${branches === '' ? 'the working branch' : branches} and push it to \`origin\` before you finish.`;
}

/** The checklist items of a message as text. */
export function checklistText(subjects: readonly string[]): string | undefined {
  return subjects.length === 0 ? undefined : ['Checklist for this task:', ...subjects.map(item)].join('\n');
}

/** The reminder after a turn that ended too early. Lists everything that is missing. */
export function reminder(open: readonly Task[], unpushed: readonly BranchState[], missing: readonly string[]): string {
  const parts: string[] = ['You ended your turn, but this is not done:'];
  if (open.length > 0) parts.push('Open checklist items:', ...open.map((task) => item(taskLine(task))));
  for (const branch of unpushed) {
    const dirty = branch.dirty_files > 0 ? ` ${branch.dirty_files} files are not committed.` : '';
    parts.push(item(`Branch \`${branch.branch}\` of ${branch.repo} is not on \`origin\` at its head.${dirty}`));
  }
  for (const branch of missing) parts.push(item(`Branch \`${branch}\` is not on \`origin\`.`));
  parts.push('Finish it, or say plainly why that is not possible.');
  return parts.join('\n');
}

/**
 * The note after a turn that was cut off.
 * @param repeated whether the turn's inputs follow again, because the model may not have read them
 */
export function cutOffNote(cause: 'crashed' | 'cut_off' | 'machine_lost', about: string, repeated: boolean): string {
  const what = {
    crashed: 'The agent program ended unexpectedly in the middle of your last turn and was started again.',
    cut_off: 'Murmur was stopped in the middle of your last turn and has been started again.',
    machine_lost:
      'The machine was lost in the middle of your last turn. You are on a new one, restored from the last snapshot: what was done after it is gone.',
  }[cause];
  const processes = 'A command that was running then was ended, and its result is lost.';
  if (repeated) return `${what} The message that you were given follows again.`;
  return `${what} ${processes} Check the state of your work, then continue where you were cut off. You were working on:\n\n${quote(about)}`;
}

/** The message that lists what an assessor found missing. */
export function missingNote(reason: string, missing: readonly string[]): string {
  return [
    `You ended your turn, but an assessor that looked at the task and at your changes says that it is not done: ${reason}`,
    'Missing:',
    ...missing.map(item),
    'Do it, or say plainly why that is not possible or not asked for.',
  ].join('\n');
}

/** The note at 80 % of a budget. */
export function budgetNote({ path, limit_usd, used_usd }: BudgetNotice): string {
  const part = Math.round((used_usd / limit_usd) * 100);
  return `The budget of ${path}, which covers your work, is used to ${part} % ($${used_usd.toFixed(2)} of $${limit_usd.toFixed(2)}). At the limit every agent of it is stopped in mid-turn. Commit and push what you have, finish what matters most, and start nothing new that is not needed.`;
}

/** The note after a turn that was interrupted at the limit of the budget. */
export function cutAtLimitNote(about: string): string {
  return `Your last turn was interrupted because the budget was used up. There is money again. A command that was running then was ended. Check the state of your work, then continue where you were cut off. You were working on:\n\n${quote(about)}`;
}

/** The note after a failed model request or a full disk, delivered with the next turn. */
export function modelErrorNote(error: TurnError | undefined, about: string): string {
  if (error?.kind === 'disk') {
    return `Your last turn was ended because ${error.message}. Commands that were running then were ended. Delete what you do not need, then continue where you were cut off. You were working on:\n\n${quote(about)}`;
  }
  return `Your last turn was cut off because a model request failed (${error?.message ?? 'unknown error'}). Continue where you were cut off. You were working on:\n\n${quote(about)}`;
}

/**
 * The text of the messages, cut to a length that still reminds the agent of them after its conversation was lost.
 * Undefined if all are from Murmur.
 */
export function subjectOf(inputs: readonly FollowUp[]): string | undefined {
  const texts = inputs.filter((input) => input.kind !== 'system').map((input) => input.text.text);
  return texts.length === 0 ? undefined : head(texts.join('\n\n'), 2_000);
}

function quote(text: string): string {
  return text
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');
}

function taskLine(task: Task): string {
  const detail = task.description === undefined ? '' : `: ${head(task.description, 300)}`;
  return `${task.subject}${detail}`;
}

function item(text: string): string {
  return `- ${text}`;
}
