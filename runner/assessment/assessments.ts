// Runs assessments: one at a time, and each id once in the lifetime of the runner.
import type { AssessReply, AssessRequest } from '../../contract/wire/assessment.ts';
import { readVerdict } from '../../contract/wire/assessment.ts';
import type { BackendTurnEnd } from '../backends/backend.ts';
import { NO_COST } from '../../contract/wire/cost.ts';

/** Asks the backend; `signal` ends it early. */
export type Ask = (request: AssessRequest, signal: AbortSignal) => Promise<BackendTurnEnd>;

interface RunningAssessment {
  readonly id: string;
  readonly interrupt: AbortController;
  readonly reply: Promise<AssessReply>;
}

export class Assessments {
  readonly #ask: Ask;
  #last: RunningAssessment | undefined;
  /** Ids that were interrupted before their assessment arrived. */
  readonly #tombstones = new Set<string>();

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Never rejects: the reply reports problems. */
  assess(request: AssessRequest): Promise<AssessReply> {
    if (this.#last?.id === request.assess_id) return this.#last.reply;
    const interrupt = new AbortController();
    if (this.#tombstones.has(request.assess_id)) interrupt.abort();
    const reply = this.#run(request, interrupt.signal);
    this.#last = { id: request.assess_id, interrupt, reply };
    return reply;
  }

  /** Ends the assessment. An id that has not arrived yet is remembered and not run. False for an unknown id. */
  interrupt(id: string): boolean {
    const isKnown = this.#last?.id === id;
    if (isKnown) this.#last?.interrupt.abort();
    else this.#tombstones.add(id);
    return isKnown;
  }

  /** Ends the running assessment; resolves once it has ended. */
  async end(): Promise<void> {
    this.#last?.interrupt.abort();
    await this.#last?.reply;
  }

  async #run(request: AssessRequest, signal: AbortSignal): Promise<AssessReply> {
    if (signal.aborted) return { status: 'interrupted', cost: NO_COST };
    try {
      return replyOf(await this.#ask(request, signal));
    } catch (error) {
      if (signal.aborted) return { status: 'interrupted', cost: NO_COST };
      return { status: 'not_assessed', problem: error instanceof Error ? error.message : String(error), cost: NO_COST };
    }
  }
}

function replyOf({ status, structured, error, cost }: BackendTurnEnd): AssessReply {
  if (status === 'interrupted') return { status: 'interrupted', cost };
  const verdict = readVerdict(structured);
  if (verdict !== undefined) return { status: 'assessed', verdict, cost };
  const given = structured === undefined ? 'the assessor gave no verdict' : 'the verdict does not match the schema';
  return { status: 'not_assessed', problem: error?.message ?? given, cost };
}
