/**
 * Runs the transactions of one store in turn.
 */

/** Runs asynchronous functions one after the other, in the order of the calls. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve();

  run<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    // The next one runs whether this one succeeds or not. Its result may be large, and is not held until then.
    const ended = () => undefined;
    this.#last = result.then(ended, ended);
    return result;
  }
}
