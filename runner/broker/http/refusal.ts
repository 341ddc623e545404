// Imports nothing.

/** An error answer of the broker itself. Git shows the text after "remote:". */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}
