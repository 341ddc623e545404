// What `doctor` answers. Types only.

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'problem';
  /** One sentence with the value that was found. */
  readonly message: string;
  /** What to do, as a phrase; absent when all is well. */
  readonly fix?: string;
}
