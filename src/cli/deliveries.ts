import { replaceFile } from '../files/index.ts';
import { concat, concatAll, utf8 } from '../primitives/index.ts';
import { type Delivery, delivered, type InboxId, type Outcome, type Reception } from '../session/index.ts';
import { afterwards } from './afterwards.ts';
import type { Shell } from './shell.ts';
import { count } from './show/page.ts';
import { documentOf, forTerminal, isText } from './show/received.ts';
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
  readonly #forFile: Delivery[] = [];
  #exit = 0;
  #isEmpty = true;

  constructor(shell: Shell, identity: Unlocked, options: DeliveryOptions) {
    this.#shell = shell;
    this.#identity = identity;
    this.#options = options;
  }

  /** The exit code of the first envelope that was refused. */
  get exit(): number {
    return this.#exit;
  }

  /** Whether nothing has come yet, not even a refusal. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  async deliver(outcomes: readonly Outcome[], missing: Reception['missing']): Promise<void> {
    const { io, tell } = this.#shell;
    const written: InboxId[] = [];
    const held: InboxId[] = [];
    try {
      for (const outcome of outcomes) {
        this.#isEmpty = false;
        if (outcome.type !== 'message') {
          const code = await tellOutcome(this.#shell, outcome);
          this.#exit ||= code;
          continue;
        }
        await tellNotices(this.#shell, outcome);
        if (this.#options.output !== undefined) this.#forFile.push(outcome);
        else {
          const box = (await this.#write(outcome)) ? written : held;
          box.push(outcome.inboxId);
        }
      }
      if (written.length > 0) await io.output.flush();
    } finally {
      await afterwards(tell, () => delivered(this.#identity, { written, held }));
    }
    for (const { from, count: messages } of missing) {
      await tell.notice(`${count(messages, 'message')} of ${from} missing so far: pawl inspect ${from}`);
    }
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
    const written = this.#forFile.map(({ inboxId }) => inboxId);
    await afterwards(tell, () => delivered(this.#identity, { written, held: [] }));
    for (const delivery of tell.json ? this.#forFile : []) await tell.document(documentOf(delivery, false));
  }

  /** Writes one text to standard output; or not, where that is a terminal and the text is none. */
  async #write(delivery: Delivery): Promise<boolean> {
    const { io, tell } = this.#shell;
    const { from, content } = delivery;
    if (tell.json) {
      await tell.document(documentOf(delivery));
    } else if (!io.output.isTerminal) {
      await io.output.write(this.#options.lines ? concat(content.bytes, NEWLINE) : content.bytes);
    } else if (isText(content.bytes)) {
      await io.output.write(forTerminal(delivery));
    } else {
      await tell.warn(
        `a message from ${from} is no text (${content.bytes.length} bytes): pawl recv < /dev/null > FILE`,
      );
      return false;
    }
    return true;
  }
}
