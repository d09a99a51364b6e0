/**
 * Writes received texts to standard output or a file, or gives them to a command, and received files into a folder. A text
 * leaves the inbox once that is done; what could not be delivered stays there.
 * Knows nothing of envelopes and sessions.
 */
import { type ContentHead, type FileContent, headOf } from '../../../envelope/index.ts';
import type { Folder, OutputFile } from '../../../files/index.ts';
import { concat, utf8 } from '../../../primitives/index.ts';
import {
  acknowledgeDelivered,
  type Claim,
  claimAgain,
  claimTime,
  type Delivery,
  HeldTexts,
  type InboxId,
  isGivenUp,
  type Outcome,
  pauseOf,
  readClaimed,
  SECOND,
  type Settled,
  TRIES,
  type WaitingText,
} from '../../../session/index.ts';
import type { CommandContext } from '../../context.ts';
import type { OpenIdentity } from '../../identity/open.ts';
import { Garbage } from '../../stream/memory.ts';
import { acknowledgeOrWarn, BufferedOutput } from '../../stream/write.ts';
import { count, spanInWords } from '../../terminal/format.ts';
import { type Document, jsonLine } from '../../terminal/reporter.ts';
import { columnsOf } from '../../terminal/screen.ts';
import { type RecordFormat, recordForTerminal, recordOf } from './record-format.ts';
import { Repeats } from './repeats.ts';
import {
  deliveryDocument,
  reportNotices,
  reportOutcome,
  reportSaved,
  reportWaiting,
  textForTerminal,
} from './report.ts';
import { saveFile } from './save-file.ts';
import type { TextCommand } from './text-command.ts';

export interface DeliveryOptions {
  /** A file for the texts, instead of standard output. */
  readonly output?: OutputFile;
  /** A folder for received files, each under its own name. */
  readonly folder?: Folder;
  /** Files replace what has their name in the folder. */
  readonly force?: true;
  /** Each text in this form. */
  readonly format?: RecordFormat;
  /** A newline after each text. */
  readonly lines?: true;
  /** Gets each text, instead of standard output, and files too, unless there is a folder for them. */
  readonly command?: TextCommand;
  /** Deliver nothing but what waits in the inbox: the input is empty. */
  readonly waiting?: true;
  /** Go on with what comes, until the process is stopped. */
  readonly follows?: boolean;
}

/** The exit code where a command has failed on a text, which it gets again later (README). */
const LATER = 75;

const NEWLINE = utf8('\n');
const NOTHING = new Uint8Array(0);

export class Deliverer {
  readonly #context: CommandContext;
  readonly #identity: OpenIdentity;
  readonly #options: DeliveryOptions;
  readonly #stdout: BufferedOutput<InboxId>;
  /** Whether texts are all that is delivered: a terminal can show nothing else, and a file keeps its name that way. */
  readonly #showsTextsOnly: boolean;
  /** What is claimed, and neither told nor put off. */
  readonly #held: HeldTexts;
  /** Files that are in the folder: what is said of them is written whatever becomes of their claims. */
  readonly #saved = new Set<InboxId>();
  /** With `-o`: in the file at the end. */
  readonly #forOutputFile: Claim[] = [];
  readonly #garbage = new Garbage();
  readonly #repeats: Repeats;
  #deferred: InboxId[] = [];
  /** What the command was given: it has done its work, or has failed. */
  #done: InboxId[] = [];
  #failed: InboxId[] = [];
  /** How many texts another process has taken over, before they could be told here. */
  #takenOver = 0;
  #exit = 0;
  #count = 0;

  constructor(context: CommandContext, identity: OpenIdentity, options: DeliveryOptions) {
    const { io, reporter } = context;
    this.#context = context;
    this.#identity = identity;
    this.#options = options;
    this.#repeats = new Repeats(reporter);
    this.#held = new HeldTexts(identity);
    this.#stdout = new BufferedOutput(reporter.progress.clearBefore(io.output), (ids) => this.#stillToTell(ids));
    const goesElsewhere = options.output !== undefined || options.command !== undefined;
    this.#showsTextsOnly = !goesElsewhere && io.output.isTerminal && !reporter.json;
  }

  /** Whether a content can be delivered here. Any other waits for a command that can. */
  readonly delivers = ({ kind }: Pick<ContentHead, 'kind'>): boolean =>
    !this.#showsTextsOnly || kind === 'text' || (kind === 'file' && this.#options.folder !== undefined);

  /** Whether a text that waits is delivered now. One on which a command has failed rests, unless it was asked for. */
  takes(text: WaitingText): boolean {
    const { command, waiting } = this.#options;
    const isReady =
      command === undefined || waiting || (!isGivenUp(text) && pauseOf(text, claimTime(this.#identity)) === 0);
    return isReady && this.delivers(text.head);
  }

  /** Whether a content goes where a large one is written in order, and not into a file of its own. */
  isForStream({ kind }: Pick<ContentHead, 'kind'>): boolean {
    return kind !== 'file' || this.#options.folder === undefined;
  }

  /** Whether nothing sets a content apart from what is written next: no record, heading, line or file of its own. */
  runsTogether(head: Pick<ContentHead, 'kind'>): boolean {
    const { output, lines, format } = this.#options;
    if (output !== undefined) return true;
    const { io, reporter } = this.#context;
    const isRecord = io.output.isTerminal || reporter.json || format !== undefined || (lines && head.kind === 'text');
    return !isRecord && this.isForStream(head);
  }

  /** The exit code of the first envelope that was refused, or of the first file that could not be saved. */
  get exit(): number {
    return this.#exit;
  }

  /** Whether there was no outcome at all, not even a refusal. */
  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** What has become of texts, and is not noted in the identity file yet. */
  get settled(): Settled {
    return { delivered: [...this.#stdout.written, ...this.#done], deferred: this.#deferred, failed: this.#failed };
  }

  /** A transaction has noted this. */
  markSettled({ delivered, deferred, failed = [] }: Settled): void {
    this.#stdout.markAcknowledged(delivered);
    this.#done = this.#done.filter((id) => !delivered.includes(id));
    this.#failed = this.#failed.filter((id) => !failed.includes(id));
    this.#deferred = this.#deferred.filter((id) => !deferred.includes(id));
    this.#held.drop({ delivered, deferred, failed });
    for (const id of delivered) this.#saved.delete(id);
  }

  /**
   * Writes the texts among the outcomes, which must be committed, and reports the others.
   * @param outcomes are taken out of the array one by one, so that a large text is let go before the next.
   * @throws `closed-pipe`, `write-failed`.
   */
  async deliver(outcomes: Outcome[]): Promise<void> {
    this.#held.add(outcomes.filter((one) => one.type === 'message'));
    await this.#deliverAll(outcomes);
  }

  async #deliverAll(outcomes: Outcome[]): Promise<void> {
    while (outcomes.length > 0) await this.#deliverFirst(outcomes);
    await this.#stdout.flush();
    this.#context.reporter.progress.update(`decrypting, ${count(this.#count, 'message')}`);
  }

  /** Writes texts of the inbox. They are read and let go one after the other. */
  async deliverClaimed(claims: readonly Claim[]): Promise<void> {
    this.#held.add(claims);
    if (this.#options.output !== undefined) {
      this.#count += claims.length;
      this.#forOutputFile.push(...claims);
      return;
    }
    for (const left = [...claims]; left.length > 0; ) {
      this.#garbage.collect();
      await this.#deliverAll(await readClaimed(this.#identity, left));
    }
  }

  /** Notes what is settled, in transactions of its own, and tells what was not read again. */
  async acknowledge(): Promise<void> {
    this.#context.reporter.progress.clear();
    await this.#repeats.report();
    // If writing has just failed, what was written before that is still acknowledged.
    await this.#stdout.flush().catch(() => undefined);
    const { settled } = this;
    await this.#acknowledge(settled);
    this.markSettled(settled);
    await this.#tellTakenOver();
  }

  /**
   * With `-o`, writes the file. One text after the other is read from the inbox.
   * @param options.isTaken a large content is in the file: the texts wait.
   * @throws `write-failed`, and what reading throws.
   */
  async finish({ isTaken }: { readonly isTaken: boolean }): Promise<void> {
    const { output } = this.#options;
    await this.#renew();
    const claims = this.#stillHeld(this.#forOutputFile);
    if (output !== undefined && claims.length > 0) {
      if (isTaken) await this.#leaveToLater(claims, output.path);
      else await this.#writeFile(claims, output);
    }
    await this.#tellTakenOver();
  }

  async #leaveToLater(claims: readonly Claim[], path: string): Promise<void> {
    await this.#acknowledge({ delivered: [], deferred: claims.map(({ inboxId }) => inboxId) });
    await this.#context.reporter.notice(
      `${path} is for the large content alone; ${count(claims.length, 'text')} that came with it: pawl recv --waiting`,
    );
  }

  async #writeFile(claims: readonly Claim[], output: OutputFile): Promise<void> {
    const { reporter } = this.#context;
    const delivered: InboxId[] = [];
    const documents: Document[] = [];
    await output.writePieces(
      this.#piecesOf(claims, (delivery) => {
        delivered.push(delivery.inboxId);
        if (reporter.json) documents.push(deliveryDocument(delivery, { withContent: false }));
      }),
    );
    await this.#acknowledge({ delivered, deferred: [] });
    for (const document of documents) await reporter.document(document);
  }

  /** What goes into the file. The claims of all that is in it are renewed too: it has its place when it is complete. */
  async *#piecesOf(claims: readonly Claim[], onWritten: (delivery: Delivery) => void) {
    const { lines, format } = this.#options;
    for (let left = [...claims]; left.length > 0; ) {
      this.#garbage.collect();
      for (const delivery of await readClaimed(this.#identity, left)) {
        yield format === undefined ? delivery.content.bytes : recordOf(format, delivery);
        if (lines) yield NEWLINE;
        this.#garbage.add(delivery.content.bytes.length);
        onWritten(delivery);
      }
      await this.#renew();
      left = this.#stillHeld(left);
    }
  }

  /** Those of which another process has not taken over the text. */
  #stillHeld(claims: readonly Claim[]): Claim[] {
    const held = claims.filter(({ inboxId }) => this.#held.has(inboxId));
    this.#takenOver += claims.length - held.length;
    return held;
  }

  /** Renews the claims where they are old, before anything is told: a slow reader may have taken longer than they last. */
  async #renew(): Promise<void> {
    if (!this.#held.isDue) return;
    const { settled } = this;
    if (await this.#held.renew(settled)) this.markSettled(settled);
  }

  /** Of texts that are about to be written, those that no other process has taken over. */
  async #stillToTell(ids: readonly InboxId[]): Promise<readonly InboxId[]> {
    await this.#renew();
    const left = ids.filter((id) => this.#held.has(id) || this.#saved.has(id));
    this.#takenOver += ids.length - left.length;
    return left;
  }

  async #tellTakenOver(): Promise<void> {
    const takenOver = this.#takenOver;
    if (takenOver === 0) return;
    this.#takenOver = 0;
    await this.#context.reporter.notice(
      `${count(takenOver, 'text')} waited here for so long that another pawl has taken over`,
    );
  }

  async #deliverFirst(outcomes: Outcome[]): Promise<void> {
    const outcome = outcomes.shift();
    if (outcome === undefined) return;
    this.#count++;
    if (outcome.type === 'message') {
      this.#garbage.add(outcome.content.bytes.length);
      return this.#deliverOne(outcome);
    }
    await this.#stdout.drain();
    if (outcome.type === 'duplicate' || outcome.type === 'forgotten' || outcome.type === 'too-late') {
      return this.#repeats.add(outcome);
    }
    const exit = await reportOutcome(this.#context, outcome);
    this.#exit ||= exit;
  }

  async #deliverOne(delivery: Delivery): Promise<void> {
    const { inboxId, content, again, claimedAt, notices } = delivery;
    if (again || notices.length > 0) {
      await this.#stdout.drain();
      const { io, reporter } = this.#context;
      const hasHead = reporter.json || (io.output.isTerminal && this.#options.format === undefined);
      await reportNotices(this.#context, delivery, { hasHead });
    }
    const { output, folder, command } = this.#options;
    if (output !== undefined) {
      this.#forOutputFile.push({ inboxId, again, claimedAt });
    } else if (folder !== undefined && content.type === 'file') {
      await this.#save(delivery, content, folder);
    } else if (command !== undefined) {
      await this.#give(delivery, command);
    } else if (this.#showsTextsOnly && !this.delivers(headOf(content))) {
      // An older pawl put it into the inbox without a look at what it is.
      await this.#stdout.drain();
      await reportWaiting(this.#context, [{ from: delivery.from, head: headOf(content) }]);
      this.#deferred.push(inboxId);
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
    if ((await this.#stillToTell([delivery.inboxId])).length === 0) return;
    const saved = saveFile(folder, content, this.#options);
    if ('error' in saved) {
      await this.#stdout.drain();
      const exit = await reporter.error(saved.error, `the file ${content.name} from ${delivery.from} waits`);
      this.#exit ||= exit;
      this.#deferred.push(delivery.inboxId);
      return;
    }
    this.#saved.add(delivery.inboxId);
    const document = { ...deliveryDocument(delivery, { withContent: false }), path: saved.path };
    await this.#stdout.write(reporter.json ? utf8(jsonLine(document)) : NOTHING, delivery.inboxId);
    if (reporter.json) return;
    await this.#stdout.drain();
    await reportSaved(this.#context, delivery, saved);
  }

  /** Gives a text to the command. It leaves the inbox with the next transaction if that has done its work. */
  async #give(delivery: Delivery, command: TextCommand): Promise<void> {
    const { inboxId, from } = delivery;
    const { settled } = this;
    const renewedAt = performance.now();
    const tries = await claimAgain(this.#identity, inboxId, settled);
    this.markSettled(settled);
    // The one before took so long that another machine has taken it over.
    if (tries === undefined) {
      this.#takenOver += 1;
      return;
    }
    const failure = await command.run(delivery, performance.now() - renewedAt).catch((error) => {
      this.#deferred.push(inboxId);
      throw error;
    });
    if (failure === undefined) {
      this.#done.push(inboxId);
      return;
    }
    this.#failed.push(inboxId);
    this.#exit ||= LATER;
    await this.#context.reporter.warn(
      `the command failed on a message of ${from} (${failure}): ${next(tries + 1, { follows: this.#options.follows === true })}`,
    );
  }

  /** A text in the form that standard output gets. */
  #bytesOf(delivery: Delivery): Uint8Array {
    const { io, reporter } = this.#context;
    if (reporter.json) return utf8(jsonLine(deliveryDocument(delivery)));
    const { format, lines } = this.#options;
    const { isTerminal } = io.output;
    if (format !== undefined && isTerminal) return utf8(recordForTerminal(format, delivery, columnsOf(io.output)));
    if (format !== undefined) return recordOf(format, delivery);
    if (isTerminal) return utf8(textForTerminal(delivery, columnsOf(io.output)));
    const { bytes } = delivery.content;
    return lines ? concat(bytes, NEWLINE) : bytes;
  }

  #acknowledge(settled: Settled): Promise<void> {
    return acknowledgeOrWarn(this.#context.reporter, () => acknowledgeDelivered(this.#identity, settled));
  }
}

/** What becomes of a text on which a command has failed so often. */
function next(tries: number, { follows }: { readonly follows: boolean }): string {
  if (isGivenUp({ tries })) return `try ${tries}, the last; it waits: pawl recv --waiting`;
  const pause = pauseOf({ tries, triedAt: 0 }, 0);
  const span = pause < MINUTE ? `${pause / SECOND} s` : spanInWords(pause);
  return `try ${tries} of ${TRIES}; the next is due after ${span}${follows ? '' : ', by another pawl recv --exec'}`;
}

const MINUTE = 60 * SECOND;
