/**
 * What `recv` says of its inputs, beside the envelopes in them: those that cannot be read, each at once; and those that
 * have no envelope, in one line at the end; with `--json`, each is a document. Reads nothing.
 */
import type { PawlError } from '../../../errors.ts';
import type { InputListener } from '../../stream/envelopes.ts';
import { explain } from '../../terminal/error-messages.ts';
import { count } from '../../terminal/format.ts';
import type { Reporter } from '../../terminal/reporter.ts';

/** The most that are named. */
const FEW = 3;

export class Inputs implements InputListener {
  readonly #reporter: Reporter;
  #exit = 0;
  #withEnvelopes = 0;
  #unreadable = 0;
  /** The error of the first one that is not blank. */
  #none: PawlError | undefined;
  #empty = 0;
  /** The first of the empty ones. */
  readonly #named: string[] = [];

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  /** The exit code of the first input that could not be read. */
  get exit(): number {
    return this.#exit;
  }

  /** The inputs without an envelope, in words: `a.txt, b.txt, c.txt and 2 more`. */
  get emptyOnes(): string {
    const others = this.#empty - this.#named.length;
    return this.#named.join(', ') + (others > 0 ? ` and ${others} more` : '');
  }

  async onUnreadable(error: PawlError): Promise<void> {
    this.#unreadable++;
    const exit = await this.#reporter.error(error);
    this.#exit ||= exit;
  }

  async onRead(name: string, { hasEnvelope, error }: Parameters<InputListener['onRead']>[1]): Promise<void> {
    if (hasEnvelope) this.#withEnvelopes++;
    else if (++this.#empty <= FEW) this.#named.push(name);
    if (error === undefined) return;
    this.#none ??= error;
    const { message, hint } = explain(error);
    if (this.#reporter.json) {
      await this.#reporter.document({ type: 'refused', code: error.code, source: `${name}, byte 0`, message, hint });
    }
  }

  /**
   * Where no input had an envelope, tells what is wrong with them.
   * @returns the exit code; 0 where all of them are blank, or one had an envelope.
   */
  async refuseEmpty(): Promise<number> {
    if (this.#withEnvelopes > 0) return 0;
    if (this.#none === undefined) {
      await this.report();
      return this.#exit;
    }
    if (!this.#reporter.json) await this.#reporter.error(this.#none, this.emptyOnes);
    return this.#exit || explain(this.#none).exit;
  }

  /** Tells which of several inputs have no envelope. */
  async report(): Promise<void> {
    const all = this.#withEnvelopes + this.#unreadable + this.#empty;
    if (this.#empty === 0 || all === 1 || this.#reporter.json) return;
    const verb = this.#empty === 1 ? 'has' : 'have';
    await this.#reporter.notice(`${this.#empty} of ${count(all, 'input')} ${verb} no envelope: ${this.emptyOnes}`);
  }
}
