import { replaceFile } from '../files/index.ts';
import { concat, concatAll, utf8 } from '../primitives/index.ts';
import { type Delivery, delivered, type InboxId, type Outcome } from '../session/index.ts';
import { afterwards } from './afterwards.ts';
import { GatheredOutput } from './gathered-output.ts';
import type { Shell } from './shell.ts';
import { documentOf, forTerminal, isText } from './show/received.ts';
import { asLine } from './tell.ts';
import { tellNotices, tellOutcome } from './tell-received.ts';
import type { Unlocked } from './unlock.ts';

export interface DeliveryOptions {
  /** A file for the texts, instead of standard output. */
  readonly output?: string;
  /** A newline after each text. */
  readonly lines?: true;
}

const NEWLINE = utf8('\n');

/** Hands out what was received. A text leaves the inbox once it has been written; one that could not be stays. */
export class Deliveries {
  readonly #shell: Shell;
  readonly #identity: Unlocked;
  readonly #options: DeliveryOptions;
  readonly #output: GatheredOutput<InboxId>;
  readonly #forFile: Delivery[] = [];
  #held: InboxId[] = [];
  #exit = 0;
  #isEmpty = true;

  constructor(shell: Shell, identity: Unlocked, options: DeliveryOptions) {
    this.#shell = shell;
    this.#identity = identity;
    this.#options = options;
    this.#output = new GatheredOutput(shell.io.output);
  }

  /** The exit code of the first envelope that was refused. */
  get exit(): number {
    return this.#exit;
  }

  /** Whether nothing has come yet, not even a refusal. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  async deliver(outcomes: readonly Outcome[]): Promise<void> {
    for (const outcome of outcomes) {
      this.#isEmpty = false;
      if (outcome.type === 'message') await this.#deliverOne(outcome);
      else {
        await this.#output.handOver();
        const code = await tellOutcome(this.#shell, outcome);
        this.#exit ||= code;
      }
    }
    await this.#output.flush();
  }

  /** Has noted what was written, by a unit of work that has something else to do as well. */
  noting<Result>(work: (delivered: readonly InboxId[]) => Promise<Result>): Promise<Result> {
    return this.#output.noting(work);
  }

  /** Notes what was written, and what could not be. */
  async note(): Promise<void> {
    // Where writing has failed, what was written before has been all the same.
    await this.#output.flush().catch(() => undefined);
    const held = this.#held;
    this.#held = [];
    await this.noting((written) => this.#noteDelivered({ written, held }));
  }

  /** Writes the file, where there is one to write: it takes the place of what was there. */
  async finish(): Promise<void> {
    const { output, lines } = this.#options;
    if (output === undefined || this.#forFile.length === 0) return;
    const { tell } = this.#shell;
    replaceFile(
      output,
      concatAll(this.#forFile.flatMap(({ content }) => (lines ? [content.bytes, NEWLINE] : [content.bytes]))),
    );
    await this.#noteDelivered({ written: this.#forFile.map(({ inboxId }) => inboxId), held: [] });
    for (const delivery of tell.json ? this.#forFile : []) await tell.document(documentOf(delivery, false));
  }

  async #deliverOne(delivery: Delivery): Promise<void> {
    const { io, tell } = this.#shell;
    const { inboxId, from, content, again, notices } = delivery;
    if (again || notices.length > 0) {
      await this.#output.handOver();
      await tellNotices(this.#shell, delivery);
    }
    if (this.#options.output !== undefined) {
      this.#forFile.push(delivery);
    } else if (io.output.isTerminal && !tell.json && !isText(content.bytes)) {
      await this.#output.handOver();
      await tell.warn(
        `a message from ${from} is no text (${content.bytes.length} bytes): pawl recv < /dev/null > FILE`,
      );
      this.#held.push(inboxId);
    } else {
      await this.#output.write(this.#bytesOf(delivery), inboxId);
    }
  }

  /** A text as standard output gets it. */
  #bytesOf(delivery: Delivery): Uint8Array {
    const { io, tell } = this.#shell;
    if (tell.json) return utf8(asLine(documentOf(delivery)));
    if (io.output.isTerminal) return utf8(forTerminal(delivery));
    const { bytes } = delivery.content;
    return this.#options.lines ? concat(bytes, NEWLINE) : bytes;
  }

  #noteDelivered(boxes: { written: readonly InboxId[]; held: readonly InboxId[] }): Promise<void> {
    return afterwards(this.#shell.tell, () => delivered(this.#identity, boxes));
  }
}
