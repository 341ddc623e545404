// `doctor`: prints all checks, and a fix for each problem.
import { diagnose } from '../../stack/doctor.ts';
import type { Check } from '../../stack/doctor/check.ts';
import type { Invocation } from '../command.ts';
import { AlreadyReported } from '../output/failure.ts';
import type { Style } from '../output/terminal.ts';

const STYLES: Readonly<Record<Check['state'], Style>> = { ok: 'green', warning: 'yellow', problem: 'red' };

/** Ends with the exit status of FAILED_PRECONDITION if there is a problem, after all checks have been printed. */
export async function runDoctor({ context, json }: Invocation): Promise<void> {
  const { cwd, env, terminal } = context;
  const checks = await diagnose({ env: { ...env }, cwd });
  const problems = checks.filter(({ state }) => state === 'problem').length;
  if (json) terminal.json({ ok: problems === 0, checks });
  else for (const check of checks) printCheck(check, terminal.line);
  if (problems > 0) throw new AlreadyReported('FAILED_PRECONDITION', `${problems.toString()} problem(s)`);
}

function printCheck(check: Check, line: (text: string, style?: Style) => void): void {
  line(`${check.state.padEnd(8)} ${check.name.padEnd(13)} ${check.message}`, STYLES[check.state]);
  if (check.fix !== undefined) line(`${' '.repeat(22)} fix: ${check.fix}`);
}
