/**
 * Where the data of a large content go: a partial file beside the place that it gets, or in order into a pipe.
 * Knows nothing of parts.
 */
import { resolve } from 'node:path';
import { isPawlError, PawlError } from '../../../errors.ts';
import { checkRoom, type Folder, type OutputFile, PartialFile, removePartialFile } from '../../../files/index.ts';
import { toHex } from '../../../primitives/index.ts';
import { type IncomingContent, nameOf, type PartialPlace } from '../../../session/index.ts';
import type { PartBoxes } from '../../carrier/part-boxes.ts';
import type { CommandContext } from '../../context.ts';
import { Garbage } from '../../stream/memory.ts';
import type { Output } from '../../terminal/io.ts';
import { hostOfMachine } from '../../terminal/process-name.ts';
import { sanitizeFileName } from './save-file.ts';
import type { TextCommand } from './text-command.ts';

export interface PartOptions {
  /** A file for what is received, instead of standard output. */
  readonly output?: OutputFile;
  /** A folder for received files, each under its own name. */
  readonly folder?: Folder;
  /** Files replace what has their name in the folder; what another machine collects begins anew here, unless this goes on and on. */
  readonly force?: true;
  /** The most bytes of a content. */
  readonly maxSize?: number;
  /** Take parts of this contact only. */
  readonly from?: string;
  /** There is no input: tell what is awaited. */
  readonly waiting?: true;
  /** Gets the texts. Nothing goes to standard output. */
  readonly command?: TextCommand;
  /** Where the parts lie that are fetched. */
  readonly partBoxes?: PartBoxes;
}

/** Where the data of a content go. */
export type Sink =
  | { readonly kind: 'file'; readonly file: PartialFile }
  /** Parts are written in order. */
  | { readonly kind: 'stream'; readonly write: (data: Uint8Array) => Promise<void> };

export class PartPlaces {
  readonly #context: CommandContext;
  readonly #options: PartOptions;
  readonly #output: Output;
  readonly #garbage = new Garbage();
  /** What the file of `-o` is for. */
  #forOutput: IncomingContent | undefined;

  constructor(context: CommandContext, options: PartOptions) {
    this.#context = context;
    this.#options = options;
    this.#output = context.reporter.progress.clearBefore(context.io.output);
  }

  /** Whether a content was put into the file of `-o`. */
  get hasOutputFile(): boolean {
    return this.#forOutput !== undefined;
  }

  /**
   * Finds a place for a content: the one where an earlier command has begun, or another.
   * @param options.isStreaming whether a stream is in the midst of another content.
   * @throws `collected-elsewhere`, `no-place`, `no-room`, `write-failed`.
   */
  async sinkFor(content: IncomingContent, { isStreaming }: { readonly isStreaming: boolean }): Promise<Sink> {
    const { row, place } = content;
    const what = nameOf(row.descriptor);
    const { output, folder } = this.#options;
    const { reporter } = this.#context;
    const resumed = place && this.#reopen(place);
    if (resumed !== undefined) {
      const isQuiet = this.#options.partBoxes?.isQuiet === true;
      if (!isQuiet) await reporter.notice(`${what} from ${content.from} goes on in ${resumed.path}`);
      if (output?.folder !== undefined) this.#forOutput ??= content;
      return { kind: 'file', file: resumed };
    }
    if (place !== undefined) {
      if (this.isElsewhere(content)) throw new PawlError('collected-elsewhere', { what, host: hostOf(place) });
      const gone = this.#isOfAnotherMachine(place) ? `of ${hostOf(place)} is left there` : 'is gone';
      await reporter.warn(`${what} from ${content.from}: ${place.path} ${gone}; it begins anew`);
      removePartialFile(place.path, place.inode);
    }
    const beside =
      output?.folder ?? (folder !== undefined && row.descriptor.name !== undefined ? folder.pathOf('.') : undefined);
    if (beside !== undefined) {
      if (output !== undefined && this.#forOutput !== undefined) throw new PawlError('no-place', { what });
      checkRoom(beside, row.descriptor.size ?? 0);
      const file = PartialFile.make(beside, toHex(row.messageId));
      await content.begin({ path: file.path, inode: file.inode, host: this.#context.io.host(), target: undefined });
      if (output !== undefined) this.#forOutput = content;
      return { kind: 'file', file };
    }
    const write = this.#streamFor(this.#isForTexts);
    if (write === undefined || isStreaming) throw new PawlError('no-place', { what });
    if (place !== undefined || content.log.count > 0) await content.begin(undefined);
    return { kind: 'stream', write };
  }

  /** Whether another machine of the identity collects a content, and is to go on with it: its file is not on this one. */
  isElsewhere({ place }: IncomingContent): boolean {
    const { force, partBoxes } = this.#options;
    if (place === undefined || !this.#isOfAnotherMachine(place)) return false;
    if (force && partBoxes?.isQuiet !== true) return false;
    const file = this.#reopen(place);
    file?.close();
    return file === undefined;
  }

  #isOfAnotherMachine({ host }: PartialPlace): boolean {
    return host !== undefined && host !== this.#context.io.host();
  }

  /** Opens a partial file if it is here: machines and containers may share a disk. */
  #reopen(place: PartialPlace): PartialFile | undefined {
    try {
      return PartialFile.reopen(place.path, place.inode);
    } catch (error) {
      // What cannot be looked at has the path of another machine's file only by chance.
      if (this.#isOfAnotherMachine(place) && isPawlError(error, 'write-failed')) return undefined;
      throw error;
    }
  }

  /** How the data of a content would be taken that is fetched; `undefined` where there is no place for it here. */
  wayFor(content: IncomingContent, { isStreaming }: { readonly isStreaming: boolean }): Sink['kind'] | undefined {
    const { output, folder } = this.#options;
    if (output?.folder !== undefined) {
      return this.#forOutput === undefined || this.#forOutput === content ? 'file' : undefined;
    }
    if (folder !== undefined && (content.row.descriptor.name !== undefined || content.place !== undefined)) {
      return 'file';
    }
    // What was begun in a file goes on there.
    if (content.place !== undefined || isStreaming) return undefined;
    return this.#streamFor(this.#isForTexts) === undefined ? undefined : 'stream';
  }

  /** Whether standard output is for texts only. */
  get #isForTexts(): boolean {
    const { io, reporter } = this.#context;
    return io.output.isTerminal || reporter.json || this.#options.command !== undefined;
  }

  #streamFor(isForTexts: boolean): ((data: Uint8Array) => Promise<void>) | undefined {
    const { output } = this.#options;
    if (output?.isStream) return async (data) => output.append(data);
    return isForTexts || output !== undefined ? undefined : (data) => this.#output.write(data);
  }

  /** Reads what is in a partial file. */
  reading(file: PartialFile): (position: number, length: number) => Uint8Array {
    return (position, length) => {
      this.#context.reporter.progress.update(`checking ${file.path}`);
      this.#garbage.collect();
      this.#garbage.add(length);
      return file.read(position, length);
    };
  }

  /**
   * Gives the partial file of a content that is complete its name, which is committed before.
   * @returns its path.
   * @throws `exists`, `no-place`, `write-failed`.
   */
  async putInPlace(content: IncomingContent, file: PartialFile): Promise<string> {
    const { output, folder, force } = this.#options;
    const what = nameOf(content.row.descriptor);
    // What was written anew, and is not noted by a commit.
    file.cut(content.log.bytes);
    file.sync();
    if (output?.folder !== undefined) {
      if (this.#forOutput !== content) throw new PawlError('no-place', { what });
      await content.save(resolve(output.path));
      output.take(file);
      return output.path;
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
    return folder.pathOf(name);
  }

  /** Writes out what is left of a stream. */
  async flush(): Promise<void> {
    if (this.#options.output === undefined) await this.#output.flush();
  }
}

function hostOf({ host = '' }: PartialPlace): string {
  return hostOfMachine(host);
}
