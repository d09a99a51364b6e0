/** Runs asynchronous work one piece after the other, in the order in which it was handed in. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve();

  run<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    // The next piece waits for this one, and runs whether it succeeds or not.
    this.#last = result.catch(() => undefined);
    return result;
  }
}
