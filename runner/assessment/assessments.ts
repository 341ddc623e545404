// Assessments: one at a time, each id once for as long as this runner lives.
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
  /** Interrupted before they came. */
  readonly #tombstones = new Set<string>();

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Never rejects: what goes wrong is part of the reply. */
  assess(request: AssessRequest): Promise<AssessReply> {
    if (this.#last?.id === request.assess_id) return this.#last.reply;
    const interrupt = new AbortController();
    if (this.#tombstones.has(request.assess_id)) interrupt.abort();
    const reply = this.#run(request, interrupt.signal);
    this.#last = { id: request.assess_id, interrupt, reply };
    return reply;
  }

  /** Ends the assessment; leaves word for one that has not come. False when this id is not known. */
  interrupt(id: string): boolean {
    const isKnown = this.#last?.id === id;
    if (isKnown) this.#last?.interrupt.abort();
    else this.#tombstones.add(id);
    return isKnown;
  }

  /** Ends what runs; resolves when it has ended. */
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
  const given = structured === undefined ? 'the assessor gave no verdict' : 'the verdict does not have the wanted form';
  return { status: 'not_assessed', problem: error?.message ?? given, cost };
}
