/**
 * Takes the parts of large contents, notes which are there, and delivers what is complete.
 * Knows nothing of texts and sessions. What is committed, `session/incoming.ts` does.
 */
import { dirname } from 'node:path';
import type { SealedPart } from '../../../envelope/index.ts';
import { type ErrorCode, isPawlError, PawlError } from '../../../errors.ts';
import { checkRoom, hasName, type PartialFile, removePartialFile } from '../../../files/index.ts';
import { equal } from '../../../primitives/index.ts';
import {
  dropOldIncoming,
  type IncomingContent,
  incomingContents,
  nameOf,
  TRANSFER_RETENTION,
} from '../../../session/index.ts';
import { discardPartialFile } from '../../carrier/discard.ts';
import type { PartBoxes } from '../../carrier/part-boxes.ts';
import type { CommandContext } from '../../context.ts';
import type { OpenIdentity } from '../../identity/open.ts';
import type { PartArrival } from '../../stream/envelopes.ts';
import { count } from '../../terminal/format.ts';
import { Pace } from '../../terminal/pace.ts';
import { type PartOptions, PartPlaces, type Sink } from './part-places.ts';
import { PartWords } from './part-words.ts';

/** A content whose parts are taken. */
interface Taken {
  readonly content: IncomingContent;
  readonly what: string;
  sink: Sink | undefined;
  /** When the parts were committed last, in unix milliseconds. */
  savedAt: number;
  /** Bytes written since there was seen to be room. */
  unchecked: number;
  readonly pace: Pace;
  /** How many parts of the file were found to be changed, and were written anew. */
  mended: number;
}

/** 16 GiB. */
const MAX_SIZE = 2 ** 34;
/** Milliseconds between two commits of which parts are there. */
const SAVE_INTERVAL = 1_000;
/** With these, the parts that follow would be refused as well. */
const ENDING: ReadonlySet<ErrorCode> = new Set(['write-failed', 'no-room', 'over-max-size', 'taken-elsewhere']);
/** Somebody else goes on with a content: nothing is wrong. */
const ELSEWHERE: ReadonlySet<ErrorCode> = new Set(['taken-elsewhere', 'collected-elsewhere']);
/** Bytes after which it is looked once more whether there is room. */
const ROOM_INTERVAL = 2 ** 26;

export class PartReceiver {
  readonly #context: CommandContext;
  readonly #identity: OpenIdentity;
  readonly #options: PartOptions;
  readonly #places: PartPlaces;
  readonly #words: PartWords;
  /** All contents that are not delivered. */
  readonly #contents = new Map<IncomingContent['row']['id'], IncomingContent>();
  /** Those whose parts are taken; `undefined` for one whose parts are not, which was told. */
  readonly #taken = new Map<IncomingContent, Taken | undefined>();
  /** The content that a stream is in the midst of. */
  #streaming: Taken | undefined;
  /** The content of the last part: no other one has buffers or an open file, however many there are. */
  #current: IncomingContent | undefined;

  constructor(context: CommandContext, identity: OpenIdentity, options: PartOptions) {
    this.#context = context;
    this.#identity = identity;
    this.#options = options;
    this.#words = new PartWords(context);
    this.#places = new PartPlaces(context, options);
  }

  /** The exit code of the first thing that went wrong. */
  get exit(): number {
    return this.#words.exit;
  }

  /** Whether a stream is in the midst of a content, so that nothing else may be written to it. */
  get isStreaming(): boolean {
    return this.#streaming !== undefined;
  }

  /** Whether a content was put into the file of `-o`. */
  get hasOutputFile(): boolean {
    return this.#places.hasOutputFile;
  }

  /** Whether there was nothing to tell. */
  get isSilent(): boolean {
    return this.#words.isSilent;
  }

  /** Reads which contents are awaited; tells of those that were awaited for too long, and gives them up. */
  async open(): Promise<void> {
    const { reporter, io } = this.#context;
    const limit = io.now() - TRANSFER_RETENTION;
    const contents = await incomingContents(this.#identity);
    if (contents.some(({ row }) => row.receivedAt < limit)) {
      for (const { from, what, place } of await dropOldIncoming(this.#identity)) {
        await reporter.warn(`${what} from ${from} was not complete after 30 days, and is given up`);
        await discardPartialFile(this.#context, place);
      }
    }
    for (const content of contents) if (content.row.receivedAt >= limit) this.#know(content);
    for (const content of contents) if (this.#contents.has(content.row.id)) await this.#noteDelivered(content);
  }

  /** Descriptors have been accepted. */
  async reload(): Promise<void> {
    for (const content of await incomingContents(this.#identity)) {
      if (!this.#contents.has(content.row.id)) this.#know(content);
      else content.wipe();
    }
  }

  /** Whether a message described a content that is awaited. */
  awaits(messageId: Uint8Array): boolean {
    return [...this.#contents.values()].some(({ row }) => equal(row.messageId, messageId));
  }

  /** Takes a part. One that is refused changes nothing. */
  async take({ part, source }: PartArrival): Promise<void> {
    const content = this.#find(part);
    if (content === undefined) {
      this.#words.addStrange(source);
      return;
    }
    this.#turnTo(content);
    try {
      const taken = await this.#takenOf(content);
      if (taken !== undefined) await this.#takePart(taken, part);
    } catch (error) {
      if (!(error instanceof PawlError)) throw error;
      if (error.code === 'closed-pipe') {
        const what = aboutOf(content);
        await this.#context.reporter.notice(`${what} was not written to its end: give all of it again`);
        throw error;
      }
      await this.#words.refusePart(error, source, content);
      if (ENDING.has(error.code)) await this.#stop(content);
    }
  }

  /** Fetches the parts of the contents that have a place here, and come along a route. Of the others it tells that they wait. */
  async fetch(boxes: PartBoxes): Promise<void> {
    const { from } = this.#options;
    for (const content of [...this.#contents.values()]) {
      if (from !== undefined && from !== content.from) continue;
      const title = await boxes.titleFor(content);
      if (title === undefined) continue;
      if (this.#places.isElsewhere(content)) {
        if (boxes.tells(content)) await this.#words.tellElsewhere(content);
        continue;
      }
      const way = this.#places.wayFor(content, { isStreaming: this.#streaming !== undefined });
      if (way !== undefined && content.log.isComplete) continue;
      if (way === undefined) {
        if (boxes.tells(content)) await this.#words.tellWaits(content, title);
      } else if (way === 'stream' && !(await boxes.isWhole(content))) {
        // A stream takes all of it, or nothing.
        if (boxes.tells(content)) await this.#words.tellWaits(content, title, 'not all of it is there yet');
      } else await this.#fetchOne(content, boxes, way);
    }
  }

  async #fetchOne(content: IncomingContent, boxes: PartBoxes, way: Sink['kind']): Promise<void> {
    this.#turnTo(content);
    const begin = async (): Promise<boolean> => (await this.#takenOf(content))?.sink !== undefined;
    try {
      for await (const arrival of boxes.partsOf(content, { begin, inOrder: way === 'stream' })) {
        await this.take(arrival);
        // It is complete, or no more of it can be taken.
        if (this.#taken.get(content) === undefined) break;
      }
    } catch (error) {
      if (!(error instanceof PawlError) || error.code === 'closed-pipe') throw error;
      if (!ELSEWHERE.has(error.code)) await this.#words.refuse(error, aboutOf(content));
      else if (boxes.tells(content)) await this.#words.tellTaken(error, content);
    }
  }

  /**
   * Commits what is there, and delivers what is complete. Tells what is missing still.
   * @param options.isRepeated whether messages came that had been received before.
   */
  async finish({ isRepeated }: { readonly isRepeated: boolean }): Promise<void> {
    const { reporter } = this.#context;
    await this.#words.report();
    for (const content of [...this.#contents.values()]) await this.#finishOne(content);
    reporter.progress.clear();
    await this.#words.reportStrange({ isRepeated });
  }

  /** Commits what is there, whatever has happened, and lets others take the rest. */
  async close(): Promise<void> {
    await this.#words.report();
    for (const content of this.#taken.keys()) await this.#stop(content);
    for (const content of this.#contents.values()) content.wipe();
    this.#taken.clear();
    this.#contents.clear();
  }

  /** Takes no more parts of a content. What is there is kept; of a stream, what follows would not fit. */
  async #stop(content: IncomingContent): Promise<void> {
    const taken = this.#taken.get(content);
    if (taken === undefined) return;
    this.#taken.set(content, undefined);
    if (taken.sink?.kind === 'file') {
      try {
        await this.#save(taken);
      } catch (error) {
        // The parts since the last commit can be given again, as after a kill.
        if (!(error instanceof PawlError)) throw error;
      }
      taken.sink.file.close();
    }
    await content.release();
  }

  /** Closes what the content before has open. */
  #turnTo(content: IncomingContent): void {
    const before = this.#current;
    if (before === content) return;
    this.#current = content;
    if (before === undefined) return;
    before.rest();
    const sink = this.#taken.get(before)?.sink;
    if (sink?.kind === 'file') sink.file.close();
  }

  #know(content: IncomingContent): void {
    this.#contents.set(content.row.id, content);
  }

  #find(part: SealedPart): IncomingContent | undefined {
    for (const content of this.#contents.values()) if (content.owns(part)) return content;
    return undefined;
  }

  /** Finds a place for a content with the first part that comes. @returns `undefined` where that was refused before. */
  async #takenOf(content: IncomingContent): Promise<Taken | undefined> {
    if (this.#taken.has(content)) return this.#taken.get(content);
    this.#taken.set(content, undefined);
    const { descriptor } = content.row;
    const { from } = this.#options;
    if (from !== undefined && from !== content.from) {
      await this.#context.reporter.notice(`left alone: ${nameOf(descriptor)} from ${content.from}`);
      return undefined;
    }
    const what = nameOf(descriptor);
    this.#refuseSize(descriptor.size ?? 0);
    await content.take();
    const taken: Taken = {
      content,
      what,
      sink: undefined,
      savedAt: this.#context.io.now(),
      unchecked: 0,
      pace: new Pace(this.#context.io, descriptor.size),
      mended: 0,
    };
    try {
      taken.sink = await this.#places.sinkFor(content, { isStreaming: this.isStreaming });
      if (taken.sink.kind === 'stream') this.#streaming = taken;
    } catch (error) {
      await content.release();
      throw error;
    }
    this.#taken.set(content, taken);
    return taken;
  }

  async #takePart(taken: Taken, sealed: SealedPart): Promise<void> {
    const { content, sink, pace, what } = taken;
    const { part, verdict } = content.open(sealed);
    if (sink === undefined) return;
    const { partSize } = content.row.descriptor;
    if (verdict === 'stored') await content.compare(part);
    if (verdict !== 'new') {
      if (sink.kind !== 'file' || !(await content.isChanged(part.index, this.#places.reading(sink.file)))) return;
      sink.file.write(part.data, part.index * partSize);
      taken.mended += 1;
      return;
    }
    this.#refuseSize(part.index * partSize + part.data.length);
    await content.hold();
    if (sink.kind === 'file') {
      taken.unchecked -= part.data.length;
      if (taken.unchecked < 0) {
        checkRoom(dirname(sink.file.path), part.data.length);
        taken.unchecked = ROOM_INTERVAL;
      }
      sink.file.write(part.data, part.index * partSize);
      content.add(part);
      if (this.#context.io.now() - taken.savedAt >= SAVE_INTERVAL) await this.#save(taken);
    } else {
      // What is behind a part that is missing cannot be written, and comes again with the whole.
      if (part.index !== content.log.firstMissing) return;
      await sink.write(part.data);
      content.addWritten(part);
      if (content.log.isComplete) await this.#finishStream(taken);
    }
    this.#context.reporter.progress.update(`${what}, ${pace.words(content.log.bytes)}`);
  }

  async #save(taken: Taken): Promise<void> {
    if (taken.sink?.kind !== 'file' || !taken.content.hasUnsaved) return;
    taken.sink.file.sync();
    await taken.content.save();
    taken.savedAt = this.#context.io.now();
  }

  async #finishStream(taken: Taken): Promise<void> {
    const { content } = taken;
    await this.#places.flush();
    await content.finish();
    this.#streaming = undefined;
    await this.#words.tell(content, undefined);
    this.#forget(content);
  }

  async #finishOne(content: IncomingContent): Promise<void> {
    try {
      const taken = this.#taken.get(content) ?? (await this.#completeBefore(content));
      if (taken === undefined) {
        if (!this.#options.waiting || !this.#contents.has(content.row.id)) return;
        if (this.#places.isElsewhere(content)) await this.#words.tellElsewhere(content);
        else await this.#words.tellProgress(content);
        return;
      }
      const { sink, what } = taken;
      const { firstMissing, total } = content.log;
      if (sink?.kind === 'stream') {
        throw new PawlError('parts-missing', { what, missing: firstMissing, total });
      }
      if (sink === undefined) return;
      this.#turnTo(content);
      await this.#save(taken);
      if (content.log.isComplete) await this.#dropChanged(taken, sink.file);
      if (content.log.isComplete) await this.#deliver(content, await this.#places.putInPlace(content, sink.file));
      else if (!this.#isQuiet) await this.#words.tellProgress(content);
    } catch (error) {
      if (!(error instanceof PawlError)) throw error;
      await this.#words.refuse(error, `${nameOf(content.row.descriptor)} from ${content.from}`);
    }
  }

  /** Nothing gets its name that was changed since it was collected. */
  async #dropChanged(taken: Taken, file: PartialFile): Promise<void> {
    const { content, what, mended } = taken;
    const about = `${what} from ${content.from}`;
    const changed = await content.dropChanged(this.#places.reading(file));
    if (mended > 0) {
      await this.#context.reporter.warn(
        `${about}: ${count(mended, 'part')} in ${file.path} had been changed: written anew`,
      );
    }
    if (changed > 0) {
      await this.#context.reporter.warn(
        `${about}: ${file.path} had been changed: ${count(changed, 'part')} missing again`,
      );
    }
  }

  /**
   * A content whose parts all came with earlier commands, which could not put it in its place. The file of `-o` is for what
   * comes with it, if anything does.
   */
  async #completeBefore(content: IncomingContent): Promise<Taken | undefined> {
    const { folder, output, waiting, from } = this.#options;
    if (from !== undefined && from !== content.from) return undefined;
    const hasPlace = folder !== undefined || (output?.folder !== undefined && waiting === true);
    if (!hasPlace || content.place === undefined || !content.log.isComplete) return undefined;
    return this.#places.isElsewhere(content) ? undefined : this.#takenOf(content);
  }

  /** An earlier command has given a content its name, and was killed before it had noted that. */
  async #noteDelivered(content: IncomingContent): Promise<void> {
    const { place } = content;
    if (place?.target === undefined || !content.log.isComplete) return;
    if (!hasName(place.target, { inode: place.inode, bytes: content.log.bytes })) return;
    try {
      await content.take();
    } catch (error) {
      // That command notes it just now.
      if (isPawlError(error, 'taken-elsewhere')) return;
      throw error;
    }
    // Its first name is still there where the command was killed between the two.
    if (place.target !== place.path) removePartialFile(place.path, place.inode);
    await this.#deliver(content, place.target);
  }

  async #deliver(content: IncomingContent, path: string): Promise<void> {
    await this.#words.tell(content, path);
    await content.finish();
    this.#forget(content);
  }

  #forget(content: IncomingContent): void {
    const taken = this.#taken.get(content);
    if (taken?.sink?.kind === 'file') taken.sink.file.close();
    if (this.#current === content) this.#current = undefined;
    this.#taken.delete(content);
    this.#contents.delete(content.row.id);
    content.wipe();
  }

  /** Whether what goes on from round to round is not told in each. */
  get #isQuiet(): boolean {
    return this.#options.partBoxes?.isQuiet === true;
  }

  #refuseSize(bytes: number): void {
    const { maxSize = MAX_SIZE } = this.#options;
    if (bytes > maxSize) throw new PawlError('over-max-size', { bytes, limit: maxSize });
  }
}

function aboutOf({ row, from }: IncomingContent): string {
  return `${nameOf(row.descriptor)} from ${from}`;
}
