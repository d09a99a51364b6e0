/**
 * Takes the parts of large contents: into a partial file beside the place that they get, or in order into a pipe.
 * Knows nothing of texts and sessions. What is committed, `session/incoming.ts` does.
 */
import { dirname, resolve } from 'node:path';
import type { SealedPart } from '../../../envelope/index.ts';
import { type ErrorCode, isPawlError, PawlError } from '../../../errors.ts';
import {
  checkRoom,
  type Folder,
  hasName,
  type OutputFile,
  PartialFile,
  removePartialFile,
} from '../../../files/index.ts';
import { equal, toHex } from '../../../primitives/index.ts';
import {
  dropOldIncoming,
  type IncomingContent,
  incomingContents,
  nameOf,
  TRANSFER_RETENTION,
} from '../../../session/index.ts';
import type { PartBoxes } from '../../carrier/part-boxes.ts';
import type { CommandContext } from '../../context.ts';
import type { OpenIdentity } from '../../identity/open.ts';
import { incomingFields, partsInWords } from '../../show/transfers.ts';
import type { PartArrival } from '../../stream/envelopes.ts';
import { Garbage } from '../../stream/memory.ts';
import { explain } from '../../terminal/error-messages.ts';
import { bytesInWords, count, iso } from '../../terminal/format.ts';
import type { Output } from '../../terminal/io.ts';
import { Pace } from '../../terminal/pace.ts';
import { sanitizeFileName } from './save-file.ts';

export interface PartOptions {
  /** A file for what is received, instead of standard output. */
  readonly output?: OutputFile;
  /** A folder for received files, each under its own name. */
  readonly folder?: Folder;
  /** Files replace what has their name in the folder. */
  readonly force?: true;
  /** The most bytes of a content. */
  readonly maxSize?: number;
  /** Take parts of this contact only. */
  readonly from?: string;
  /** There is no input: tell what is awaited. */
  readonly waiting?: true;
  /** Where the parts lie that are fetched. */
  readonly partBoxes?: PartBoxes;
}

/** Where the data of a content go. */
type Sink =
  | { readonly kind: 'file'; readonly file: PartialFile }
  /** Parts are written in order. */
  | { readonly kind: 'stream'; readonly write: (data: Uint8Array) => Promise<void> };

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
/** So many parts of a content are told of that are refused for one reason. */
const FEW = 3;
/** Bytes after which it is looked once more whether there is room. */
const ROOM_INTERVAL = 2 ** 26;

export class PartReceiver {
  readonly #context: CommandContext;
  readonly #identity: OpenIdentity;
  readonly #options: PartOptions;
  readonly #output: Output;
  readonly #garbage = new Garbage();
  /** All contents that are not delivered. */
  readonly #contents = new Map<IncomingContent['row']['id'], IncomingContent>();
  /** Those whose parts are taken; `undefined` for one whose parts are not, which was told. */
  readonly #taken = new Map<IncomingContent, Taken | undefined>();
  /** The content that a stream is in the midst of. */
  #streaming: Taken | undefined;
  /** What the file of `-o` is for. */
  #forOutput: IncomingContent | undefined;
  /** The content of the last part: no other one has buffers or an open file, however many there are. */
  #current: IncomingContent | undefined;
  /** Parts of no content that is known, and those that were there. */
  readonly #strange: { count: number; first: string } = { count: 0, first: '' };
  /** How many parts of a content were refused, by the code. */
  readonly #refused = new Map<IncomingContent, Map<ErrorCode, number>>();
  #exit = 0;
  /** How often something was told. */
  #told = 0;

  constructor(context: CommandContext, identity: OpenIdentity, options: PartOptions) {
    this.#context = context;
    this.#identity = identity;
    this.#options = options;
    this.#output = context.reporter.progress.clearBefore(context.io.output);
  }

  /** The exit code of the first thing that went wrong. */
  get exit(): number {
    return this.#exit;
  }

  /** Whether a stream is in the midst of a content, so that nothing else may be written to it. */
  get isStreaming(): boolean {
    return this.#streaming !== undefined;
  }

  /** Whether a content was put into the file of `-o`. */
  get hasOutputFile(): boolean {
    return this.#forOutput !== undefined;
  }

  /** Whether there was nothing to tell. */
  get isSilent(): boolean {
    return this.#told === 0;
  }

  /** Reads which contents are awaited; tells of those that were awaited for too long, and gives them up. */
  async open(): Promise<void> {
    const { reporter, io } = this.#context;
    const limit = io.now() - TRANSFER_RETENTION;
    const contents = await incomingContents(this.#identity);
    if (contents.some(({ row }) => row.receivedAt < limit)) {
      for (const { from, what, place } of await dropOldIncoming(this.#identity)) {
        if (place !== undefined) removePartialFile(place.path, place.inode);
        await reporter.warn(`${what} from ${from} was not complete after 30 days, and is given up`);
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
      if (this.#strange.count++ === 0) this.#strange.first = source;
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
      if (this.#isToldOf(content, error.code)) await this.#refuse(error, `${source}, from ${content.from}`);
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
      const way = this.#wayFor(content);
      if (way !== undefined && content.log.isComplete) continue;
      if (way === undefined) {
        if (boxes.tells(content)) await this.#tellWaits(content, title);
      } else if (way === 'stream' && !(await boxes.isWhole(content))) {
        // A stream takes all of it, or nothing.
        if (boxes.tells(content)) await this.#tellWaits(content, title, 'not all of it is there yet');
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
      if (error.code !== 'taken-elsewhere') await this.#refuse(error, aboutOf(content));
      else if (boxes.tells(content))
        await this.#context.reporter.notice(`${explain(error).message}: ${aboutOf(content)}`);
    }
  }

  /** Where the data of a content go that would be fetched; `undefined` where there is no place for it here. */
  #wayFor(content: IncomingContent): Sink['kind'] | undefined {
    const { output, folder } = this.#options;
    const { io, reporter } = this.#context;
    if (output?.folder !== undefined) {
      return this.#forOutput === undefined || this.#forOutput === content ? 'file' : undefined;
    }
    if (folder !== undefined && (content.row.descriptor.name !== undefined || content.place !== undefined))
      return 'file';
    // What was begun in a file goes on there.
    if (content.place !== undefined || this.#streaming !== undefined) return undefined;
    return this.#streamFor(io.output.isTerminal || reporter.json) === undefined ? undefined : 'stream';
  }

  async #tellWaits(content: IncomingContent, title: string, why?: string): Promise<void> {
    const { reporter } = this.#context;
    this.#told += 1;
    if (reporter.json) {
      await reporter.document({ type: 'incoming', ...incomingFields(content) });
      return;
    }
    const { name, size } = content.row.descriptor;
    const words = size === undefined ? '' : ` (${bytesInWords(size)})`;
    const way = name === undefined ? '-o FILE' : '--out-dir DIR';
    await reporter.notice(
      `${nameOf(content.row.descriptor)}${words} from ${content.from} waits at ${title}: ${why ?? `pawl recv --fetch ${way}`}`,
    );
  }

  /**
   * Commits what is there, and delivers what is complete. Tells what is missing still.
   * @param options.isRepeated whether messages came that had been received before.
   */
  async finish({ isRepeated }: { readonly isRepeated: boolean }): Promise<void> {
    const { reporter } = this.#context;
    for (const [content, codes] of this.#refused) await this.#tellOfMore(content, codes);
    for (const content of [...this.#contents.values()]) await this.#finishOne(content);
    reporter.progress.clear();
    const { count: strangers, first } = this.#strange;
    if (strangers > 0) {
      const where = strangers === 1 ? first : `${first}, and ${count(strangers - 1, 'part')} more`;
      // The input began with a message that was received before: these are its parts, most likely.
      if (isRepeated) await reporter.notice(`${count(strangers, 'part')} of what is not awaited any more: ${first}`);
      else await this.#refuse(new PawlError('unknown-part', {}), where);
    }
  }

  /** Commits what is there, whatever has happened, and lets others take the rest. */
  async close(): Promise<void> {
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

  /** Counts a part that is refused: thousands would each say the same. */
  #isToldOf(content: IncomingContent, code: ErrorCode): boolean {
    const codes = this.#refused.get(content) ?? new Map<ErrorCode, number>();
    this.#refused.set(content, codes);
    const times = (codes.get(code) ?? 0) + 1;
    codes.set(code, times);
    return times <= FEW || this.#context.reporter.json;
  }

  async #tellOfMore(content: IncomingContent, codes: ReadonlyMap<ErrorCode, number>): Promise<void> {
    const { reporter } = this.#context;
    if (reporter.json) return;
    const what = aboutOf(content);
    for (const times of codes.values()) {
      if (times > FEW) await reporter.warn(`${what}: ${count(times - FEW, 'more part')} refused for the same reason`);
    }
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
      taken.sink = await this.#sinkFor(taken);
    } catch (error) {
      await content.release();
      throw error;
    }
    this.#taken.set(content, taken);
    return taken;
  }

  async #sinkFor(taken: Taken): Promise<Sink> {
    const { content, what } = taken;
    const { row, place } = content;
    const { output, folder } = this.#options;
    const { io, reporter } = this.#context;
    const resumed = place && PartialFile.reopen(place.path, place.inode);
    if (resumed !== undefined) {
      if (!this.#isQuiet) await reporter.notice(`${what} from ${content.from} goes on in ${resumed.path}`);
      if (output?.folder !== undefined) this.#forOutput ??= content;
      return { kind: 'file', file: resumed };
    }
    if (place !== undefined) {
      await reporter.warn(`${what} from ${content.from}: ${place.path} is gone; it begins anew`);
      removePartialFile(place.path, place.inode);
    }
    const beside =
      output?.folder ?? (folder !== undefined && row.descriptor.name !== undefined ? folder.pathOf('.') : undefined);
    if (beside !== undefined) {
      if (output !== undefined && this.#forOutput !== undefined) throw new PawlError('no-place', { what });
      checkRoom(beside, row.descriptor.size ?? 0);
      const file = PartialFile.make(beside, toHex(row.messageId));
      await content.begin({ path: file.path, inode: file.inode, target: undefined });
      if (output !== undefined) this.#forOutput = content;
      return { kind: 'file', file };
    }
    const write = this.#streamFor(io.output.isTerminal || reporter.json);
    if (write === undefined || this.#streaming !== undefined) throw new PawlError('no-place', { what });
    if (place !== undefined || content.log.count > 0) await content.begin(undefined);
    this.#streaming = taken;
    return { kind: 'stream', write };
  }

  #streamFor(isForTexts: boolean): ((data: Uint8Array) => Promise<void>) | undefined {
    const { output } = this.#options;
    if (output?.isStream) return async (data) => output.append(data);
    return isForTexts || output !== undefined ? undefined : (data) => this.#output.write(data);
  }

  /** Reads what is in a partial file. */
  readonly #reading =
    (file: PartialFile) =>
    (position: number, length: number): Uint8Array => {
      this.#context.reporter.progress.update(`checking ${file.path}`);
      this.#garbage.collect();
      this.#garbage.add(length);
      return file.read(position, length);
    };

  async #takePart(taken: Taken, sealed: SealedPart): Promise<void> {
    const { content, sink, pace, what } = taken;
    const { part, verdict } = content.open(sealed);
    if (sink === undefined) return;
    const { partSize } = content.row.descriptor;
    if (verdict === 'stored') await content.compare(part);
    if (verdict !== 'new') {
      if (sink.kind !== 'file' || !(await content.isChanged(part.index, this.#reading(sink.file)))) return;
      sink.file.write(part.data, part.index * partSize);
      taken.mended += 1;
      return;
    }
    this.#refuseSize(part.index * partSize + part.data.length);
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
    if (this.#options.output === undefined) await this.#output.flush();
    await content.finish(content.log.bytes);
    this.#streaming = undefined;
    await this.#tell(content, undefined);
    this.#forget(content);
  }

  async #finishOne(content: IncomingContent): Promise<void> {
    try {
      const taken = this.#taken.get(content) ?? (await this.#completeBefore(content));
      if (taken === undefined) {
        if (this.#options.waiting && this.#contents.has(content.row.id)) await this.#tellProgress(content);
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
      if (content.log.isComplete) await this.#putInPlace(taken, sink.file);
      else if (!this.#isQuiet) await this.#tellProgress(content);
    } catch (error) {
      if (!(error instanceof PawlError)) throw error;
      await this.#refuse(error, aboutOf(content));
    }
  }

  /** Nothing gets its name that was changed since it was collected. */
  async #dropChanged(taken: Taken, file: PartialFile): Promise<void> {
    const { content, what, mended } = taken;
    const about = `${what} from ${content.from}`;
    const changed = await content.dropChanged(this.#reading(file));
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
    return hasPlace && content.place !== undefined && content.log.isComplete ? this.#takenOf(content) : undefined;
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

  async #putInPlace({ content, what }: Taken, file: PartialFile): Promise<void> {
    const { output, folder, force } = this.#options;
    // What was written anew, and is not noted by a commit.
    file.cut(content.log.bytes);
    file.sync();
    if (output?.folder !== undefined) {
      if (this.#forOutput !== content) throw new PawlError('no-place', { what });
      await content.save(resolve(output.path));
      output.take(file);
      return this.#deliver(content, output.path);
    }
    if (folder === undefined) throw new PawlError('no-place', { what });
    const name = sanitizeFileName(content.row.descriptor.name ?? `from-${content.from}`);
    await content.save(resolve(folder.pathOf(name)));
    try {
      folder.take(name, file, { replace: force === true });
    } catch (error) {
      if (isPawlError(error, 'exists')) throw new PawlError('exists', { ...error.detail, waits: true });
      throw error;
    }
    await this.#deliver(content, folder.pathOf(name));
  }

  async #deliver(content: IncomingContent, path: string): Promise<void> {
    await this.#tell(content, path);
    await content.finish(content.log.bytes);
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

  /** @param path `undefined` for what went into a stream. */
  async #tell(content: IncomingContent, path: string | undefined): Promise<void> {
    const { reporter, io } = this.#context;
    const { from, verified, log, row } = content;
    reporter.progress.clear();
    this.#told += 1;
    const { messageId, n, late, descriptor } = row;
    if (reporter.json) {
      const document = {
        type: 'message',
        from,
        verified,
        id: toHex(messageId),
        n,
        late,
        sent_at: iso(descriptor.sentAt),
        ...(descriptor.name !== undefined && { file: descriptor.name }),
        ...(path !== undefined && { path }),
        bytes: log.bytes,
      };
      if (path === undefined) await reporter.documentOnStderr(document);
      else await reporter.document(document);
      return;
    }
    const size = bytesInWords(log.bytes);
    if (path !== undefined) await reporter.notice(`wrote ${path} (${size}) from ${from}`);
    else if (io.errors.isTerminal) await reporter.notice(`${nameOf(descriptor)} (${size}) from ${from} is complete`);
  }

  async #tellProgress(content: IncomingContent): Promise<void> {
    const { reporter } = this.#context;
    const { from, log, row } = content;
    this.#told += 1;
    if (reporter.json) await reporter.document({ type: 'incoming', ...incomingFields(content) });
    else await reporter.notice(`${nameOf(row.descriptor)} from ${from}: ${partsInWords(log)}`);
  }

  /** Whether what goes on from round to round is not told in each. */
  get #isQuiet(): boolean {
    return this.#options.partBoxes?.isQuiet === true;
  }

  #refuseSize(bytes: number): void {
    const { maxSize = MAX_SIZE } = this.#options;
    if (bytes > maxSize) throw new PawlError('over-max-size', { bytes, limit: maxSize });
  }

  async #refuse(error: PawlError, where: string): Promise<void> {
    const { reporter } = this.#context;
    reporter.progress.clear();
    this.#told += 1;
    const { message, hint, exit } = explain(error);
    if (reporter.json) await reporter.document({ type: 'refused', code: error.code, source: where, message, hint });
    else await reporter.error(error, where);
    this.#exit ||= exit;
  }
}

function aboutOf({ row, from }: IncomingContent): string {
  return `${nameOf(row.descriptor)} from ${from}`;
}
