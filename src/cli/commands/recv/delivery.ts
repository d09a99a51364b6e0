import { type FileContent, textOf } from '../../../envelope/index.ts';
import type { PawlError } from '../../../errors.ts';
import { type Folder, replaceFile } from '../../../files/index.ts';
import { concat, concatAll, utf8 } from '../../../primitives/index.ts';
import {
  type Arrival,
  acknowledgeDelivered,
  type Delivery,
  type InboxId,
  type Outcome,
  receive,
} from '../../../session/index.ts';
import type { Shell } from '../../context.ts';
import type { Unlocked } from '../../identity/open.ts';
import type { Read } from '../../stream/envelopes.ts';
import { afterwards, GatheredOutput } from '../../stream/write.ts';
import { bytesInWords, count } from '../../terminal/format.ts';
import { asLine } from '../../terminal/reporter.ts';
import { documentOf, forTerminal, tellNotices, tellOutcome, tellSaved } from './report.ts';
import { saveFile } from './save-file.ts';

export interface DeliveryOptions {
  /** A file for the texts, instead of standard output. */
  readonly output?: string;
  /** A folder for the files, each under its own name; `force`: in the place of what is there. */
  readonly folder?: Folder;
  readonly force?: true;
  /** A newline after each text. */
  readonly lines?: true;
}

const NEWLINE = utf8('\n');
const NOTHING = new Uint8Array(0);

/** Hands out what was received. A text leaves the inbox once it has been written; one that could not be stays. */
export class Deliveries {
  readonly #shell: Shell;
  readonly #identity: Unlocked;
  readonly #options: DeliveryOptions;
  readonly #output: GatheredOutput<InboxId>;
  readonly #forFile: Delivery[] = [];
  #held: InboxId[] = [];
  #exit = 0;
  #count = 0;

  constructor(shell: Shell, identity: Unlocked, options: DeliveryOptions) {
    this.#shell = shell;
    this.#identity = identity;
    this.#options = options;
    this.#output = new GatheredOutput(shell.tell.progress.before(shell.io.output));
  }

  /** The exit code of the first envelope that was refused, or file that could not be put in its place. */
  get exit(): number {
    return this.#exit;
  }

  /** Whether nothing has come yet, not even a refusal. */
  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Says that texts of before come in front of those that were asked for. */
  async announce(earlier: number): Promise<void> {
    if (earlier > 0) await this.#shell.tell.notice(`${count(earlier, 'earlier text')} first, which waited`);
  }

  async deliver(outcomes: readonly Outcome[]): Promise<void> {
    for (const outcome of outcomes) {
      this.#count++;
      if (outcome.type === 'message') await this.#deliverOne(outcome);
      else {
        await this.#output.handOver();
        const code = await tellOutcome(this.#shell, outcome);
        this.#exit ||= code;
      }
    }
    await this.#output.flush();
    this.#shell.tell.progress.at(`decrypting, ${count(this.#count, 'message')}`);
  }

  /** Has noted what was written, by a unit of work that has something else to do as well. */
  noting<Result>(work: (delivered: readonly InboxId[]) => Promise<Result>): Promise<Result> {
    return this.#output.noting(work);
  }

  /** Notes what was written, and what could not be. */
  async note(): Promise<void> {
    this.#shell.tell.progress.clear();
    // Where writing has failed, what was written before has been all the same.
    await this.#output.flush().catch(() => undefined);
    const held = this.#held;
    this.#held = [];
    await this.noting((written) => this.#noteDelivered({ delivered: written, deferred: held }));
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
    await this.#noteDelivered({ delivered: this.#forFile.map(({ inboxId }) => inboxId), deferred: [] });
    for (const delivery of tell.json ? this.#forFile : []) await tell.document(documentOf(delivery, false));
  }

  async #deliverOne(delivery: Delivery): Promise<void> {
    const { io, tell } = this.#shell;
    const { inboxId, from, content, again, notices } = delivery;
    if (again || notices.length > 0) {
      await this.#output.handOver();
      await tellNotices(this.#shell, delivery);
    }
    const { output, folder } = this.#options;
    if (output !== undefined) {
      this.#forFile.push(delivery);
    } else if (folder !== undefined && content.type === 'file') {
      await this.#save(delivery, content, folder);
    } else if (io.output.isTerminal && !tell.json && (content.type === 'file' || textOf(content.bytes) === undefined)) {
      // A file, even of text, is wanted under its name: once it was only looked at, it would be gone.
      await this.#output.handOver();
      const size = bytesInWords(content.bytes.length);
      await tell.warn(
        content.type === 'file'
          ? `the file ${content.name} (${size}) from ${from} waits: pawl recv --waiting --out-dir DIR`
          : `a message from ${from} is no text (${size}): pawl recv --waiting > FILE`,
      );
      this.#held.push(inboxId);
    } else {
      await this.#output.write(this.#bytesOf(delivery), inboxId);
    }
  }

  /**
   * A file leaves the inbox once it is in its folder for good. One that cannot be put there waits, and keeps none of the
   * others back. After a crash in between it comes again, and is found to be there.
   */
  async #save(delivery: Delivery, content: FileContent, folder: Folder): Promise<void> {
    const { tell } = this.#shell;
    const saved = saveFile(folder, content, this.#options);
    if ('error' in saved) {
      await this.#output.handOver();
      const exit = await tell.error(saved.error, `the file ${content.name} from ${delivery.from} waits`);
      this.#exit ||= exit;
      this.#held.push(delivery.inboxId);
      return;
    }
    // What it leaves on standard output is its document, and without --json nothing.
    const line = tell.json ? utf8(asLine({ ...documentOf(delivery, false), path: saved.path })) : NOTHING;
    await this.#output.write(line, delivery.inboxId);
    if (tell.json) return;
    await this.#output.handOver();
    await tellSaved(this.#shell, delivery, saved);
  }

  /** A text as standard output gets it. */
  #bytesOf(delivery: Delivery): Uint8Array {
    const { io, tell } = this.#shell;
    if (tell.json) return utf8(asLine(documentOf(delivery)));
    if (io.output.isTerminal) return utf8(forTerminal(delivery));
    const { bytes } = delivery.content;
    return this.#options.lines ? concat(bytes, NEWLINE) : bytes;
  }

  #noteDelivered(boxes: { delivered: readonly InboxId[]; deferred: readonly InboxId[] }): Promise<void> {
    return afterwards(this.#shell.tell, () => acknowledgeDelivered(this.#identity, boxes));
  }
}

export interface ReceivingOptions {
  readonly output?: string;
  /** No input is read: what waits is all there is. */
  readonly waiting?: true;
  readonly maxGap?: number;
  readonly from?: string;
}

/** So many messages may share a commit. */
export const TOGETHER = 256;

/** Receives what has come, and hands it out. Texts that earlier commands left behind come first. */
export class Receiving {
  readonly #identity: Unlocked;
  readonly #deliveries: Deliveries;
  readonly #options: ReceivingOptions;
  readonly #gaps = new Set<string>();
  #waiting: number | undefined;

  constructor(identity: Unlocked, deliveries: Deliveries, options: ReceivingOptions) {
    this.#identity = identity;
    this.#deliveries = deliveries;
    this.#options = options;
  }

  /** How many earlier texts still wait. */
  get waiting(): number {
    return this.#waiting ?? 0;
  }

  /** The contacts of whom messages were found to be missing on the way. */
  get gaps(): Iterable<string> {
    return this.#gaps;
  }

  async receive(reads: readonly Read<Arrival>[]): Promise<void> {
    for (let rest = reads; rest.length > 0 || this.#waiting === undefined; ) {
      rest = rest.slice(await this.#receiveSome(rest));
    }
  }

  /** Commits, then speaks. @returns how many it has come to. */
  async #receiveSome(reads: readonly Read<Arrival>[]): Promise<number> {
    const { output, maxGap, from } = this.#options;
    const { earlier, outcomes, gaps, waiting } = await this.#deliveries.noting((delivered) =>
      receive(this.#identity, reads.filter(isArrival), {
        delivered,
        ...(this.#waiting === undefined && {
          earlier: output === undefined || this.#options.waiting ? 'deliver' : 'count',
        }),
        ...(maxGap !== undefined && { gap: maxGap }),
        ...(from !== undefined && { from }),
      }),
    );
    this.#waiting ??= waiting;
    const inOrder = asTheyStood(reads, outcomes);
    for (const name of gaps) this.#gaps.add(name);
    if (reads.length > 0) await this.#deliveries.announce(earlier.length);
    await this.#deliveries.deliver([...earlier, ...inOrder]);
    return inOrder.length;
  }
}

export function isArrival(read: Read<Arrival>): read is Arrival {
  return 'envelope' in read;
}

export function refused({ source, error }: { source: string; error: PawlError }): Exclude<Outcome, Delivery> {
  return { type: 'refused', from: undefined, error, source };
}

/** What became of each, as far as there are outcomes. */
function asTheyStood(reads: readonly Read<Arrival>[], outcomes: readonly Outcome[]): readonly Outcome[] {
  const inOrder: Outcome[] = [];
  const ofArrivals = outcomes.values();
  for (const read of reads) {
    const outcome = isArrival(read) ? ofArrivals.next().value : refused(read);
    if (outcome === undefined) break;
    inOrder.push(outcome);
  }
  return inOrder;
}
