// The results of `doctor`. Types only.

/** The result of one check. */
export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'problem';
  /** One sentence with the found value. */
  readonly message: string;
  /** What to do, as a phrase; absent without a problem. */
  readonly fix?: string;
}
