// The interface of a recorded scenario.
import type { TestTemporal } from '../../test/fixtures/temporal.ts';

/**
 * Writes the current history of every run of a workflow.
 * @param part suffix of the file's name, for a scenario with several workflows
 */
export type KeepHistory = (workflowId: string, part?: string) => Promise<void>;

/** Runs workflows on a server of its own, has histories kept, and ends what it started. */
export type Scenario = (temporal: TestTemporal, keep: KeepHistory) => Promise<void>;
