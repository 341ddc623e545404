// What a recorded scenario is.
import type { TestTemporal } from '../../test/fixtures/temporal.ts';

/**
 * Writes the history of a workflow, of every run of it, as it is now.
 * @param part of the file's name after the scenario's, for the workflows of a scenario that has several
 */
export type KeepHistory = (workflowId: string, part?: string) => Promise<void>;

/** Plays with workflows on a server of its own and has histories kept; it ends what it has started. */
export type Scenario = (temporal: TestTemporal, keep: KeepHistory) => Promise<void>;
