/**
 * Writes received texts to standard output or a file, and received files into a folder. A text leaves the inbox once it
 * has been written; what could not be written stays there.
 * Knows nothing of envelopes and sessions.
 */
import { type FileContent, textOf } from '../../../envelope/index.ts';
import type { Folder, OutputFile } from '../../../files/index.ts';
import { concat, concatAll, utf8 } from '../../../primitives/index.ts';
import { acknowledgeDelivered, type Delivery, type InboxId, type Outcome } from '../../../session/index.ts';
import type { CommandContext } from '../../context.ts';
import type { OpenIdentity } from '../../identity/open.ts';
import { acknowledgeOrWarn, BufferedOutput } from '../../stream/write.ts';
import { bytesInWords, count } from '../../terminal/format.ts';
import { jsonLine } from '../../terminal/reporter.ts';
import { columnsOf } from '../../terminal/screen.ts';
import { deliveryDocument, reportNotices, reportOutcome, reportSaved, textForTerminal } from './report.ts';
import { saveFile } from './save-file.ts';

export interface DeliveryOptions {
  /** A file for the texts, instead of standard output. */
  readonly output?: OutputFile;
  /** A folder for received files, each under its own name. */
  readonly folder?: Folder;
  /** Files replace what has their name in the folder. */
  readonly force?: true;
  /** A newline after each text. */
  readonly lines?: true;
}

const NEWLINE = utf8('\n');
const NOTHING = new Uint8Array(0);

export class Deliverer {
  readonly #context: CommandContext;
  readonly #identity: OpenIdentity;
  readonly #options: DeliveryOptions;
  readonly #stdout: BufferedOutput<InboxId>;
  /** With `-o`: written together at the end. */
  readonly #forOutputFile: Delivery[] = [];
  /** Could not be written here, and are left to a later command. */
  #held: InboxId[] = [];
  #exit = 0;
  #count = 0;

  constructor(context: CommandContext, identity: OpenIdentity, options: DeliveryOptions) {
    this.#context = context;
    this.#identity = identity;
    this.#options = options;
    this.#stdout = new BufferedOutput(context.reporter.progress.clearBefore(context.io.output));
  }

  /** The exit code of the first envelope that was refused, or of the first file that could not be saved. */
  get exit(): number {
    return this.#exit;
  }

  /** Whether there was no outcome at all, not even a refusal. */
  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** The entries of the inbox that have been written, and not acknowledged yet. */
  get written(): readonly InboxId[] {
    return this.#stdout.written;
  }

  /** A transaction has dropped these entries from the inbox. */
  markAcknowledged(ids: readonly InboxId[]): void {
    this.#stdout.markAcknowledged(ids);
  }

  /**
   * Writes the texts among the outcomes, which must be committed, and reports the others.
   * @throws `closed-pipe`, `write-failed`.
   */
  async deliver(outcomes: readonly Outcome[]): Promise<void> {
    for (const outcome of outcomes) {
      this.#count++;
      if (outcome.type === 'message') await this.#deliverOne(outcome);
      else {
        await this.#stdout.drain();
        const exit = await reportOutcome(this.#context, outcome);
        this.#exit ||= exit;
      }
    }
    await this.#stdout.flush();
    this.#context.reporter.progress.update(`decrypting, ${count(this.#count, 'message')}`);
  }

  /** Acknowledges what has been written, and releases what is held, in a transaction of its own. */
  async acknowledge(): Promise<void> {
    this.#context.reporter.progress.clear();
    // If writing has just failed, what was written before that is still acknowledged.
    await this.#stdout.flush().catch(() => undefined);
    const { written } = this;
    const held = this.#held;
    this.#held = [];
    await this.#acknowledge(written, held);
    this.markAcknowledged(written);
  }

  /**
   * With `-o`, writes the file.
   * @throws `write-failed`.
   */
  async finish(): Promise<void> {
    const { output, lines } = this.#options;
    const texts = this.#forOutputFile;
    if (output === undefined || texts.length === 0) return;
    output.write(concatAll(texts.flatMap(({ content }) => (lines ? [content.bytes, NEWLINE] : [content.bytes]))));
    await this.#acknowledge(
      texts.map(({ inboxId }) => inboxId),
      [],
    );
    const { reporter } = this.#context;
    if (!reporter.json) return;
    for (const delivery of texts) await reporter.document(deliveryDocument(delivery, { withContent: false }));
  }

  async #deliverOne(delivery: Delivery): Promise<void> {
    const { io, reporter } = this.#context;
    const { inboxId, from, content, again, notices } = delivery;
    if (again || notices.length > 0) {
      await this.#stdout.drain();
      await reportNotices(this.#context, delivery);
    }
    const { output, folder } = this.#options;
    if (output !== undefined) {
      this.#forOutputFile.push(delivery);
    } else if (folder !== undefined && content.type === 'file') {
      await this.#save(delivery, content, folder);
    } else if (
      io.output.isTerminal &&
      !reporter.json &&
      (content.type === 'file' || textOf(content.bytes) === undefined)
    ) {
      // Even a file of text is not shown: it would be delivered then, and could no longer be saved under its name.
      await this.#stdout.drain();
      const size = bytesInWords(content.bytes.length);
      await reporter.warn(
        content.type === 'file'
          ? `the file ${content.name} (${size}) from ${from} waits: pawl recv --waiting --out-dir DIR`
          : `a message from ${from} is no text (${size}): pawl recv --waiting > FILE`,
      );
      this.#held.push(inboxId);
    } else {
      await this.#stdout.write(this.#bytesOf(delivery), inboxId);
    }
  }

  /**
   * Saves a file in the folder. One that cannot be saved stays in the inbox, and the others are still delivered. If the
   * process is killed before the acknowledgement, the file is delivered again, and is found to be there already.
   */
  async #save(delivery: Delivery, content: FileContent, folder: Folder): Promise<void> {
    const { reporter } = this.#context;
    const saved = saveFile(folder, content, this.#options);
    if ('error' in saved) {
      await this.#stdout.drain();
      const exit = await reporter.error(saved.error, `the file ${content.name} from ${delivery.from} waits`);
      this.#exit ||= exit;
      this.#held.push(delivery.inboxId);
      return;
    }
    const document = { ...deliveryDocument(delivery, { withContent: false }), path: saved.path };
    await this.#stdout.write(reporter.json ? utf8(jsonLine(document)) : NOTHING, delivery.inboxId);
    if (reporter.json) return;
    await this.#stdout.drain();
    await reportSaved(this.#context, delivery, saved);
  }

  /** A text in the form that standard output gets. */
  #bytesOf(delivery: Delivery): Uint8Array {
    const { io, reporter } = this.#context;
    if (reporter.json) return utf8(jsonLine(deliveryDocument(delivery)));
    if (io.output.isTerminal) return utf8(textForTerminal(delivery, columnsOf(io.output)));
    const { bytes } = delivery.content;
    return this.#options.lines ? concat(bytes, NEWLINE) : bytes;
  }

  #acknowledge(written: readonly InboxId[], held: readonly InboxId[]): Promise<void> {
    return acknowledgeOrWarn(this.#context.reporter, () =>
      acknowledgeDelivered(this.#identity, { delivered: written, deferred: held }),
    );
  }
}
