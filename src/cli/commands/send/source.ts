/**
 * What `send` reads: a text, files, folders, standard input. What fits into one message is read whole; anything larger is
 * read in pieces, one after the other.
 * Encrypts nothing.
 */
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { checkFileName, MAX_CONTENT, type WholeContent } from '../../../envelope/index.ts';
import { isPawlError, PawlError } from '../../../errors.ts';
import { chunksOfFile, Gathered, inodeOf, reasonOf } from '../../../files/index.ts';
import { utf8 } from '../../../primitives/index.ts';
import type { NewOutgoing, SourceFile } from '../../../session/index.ts';
import type { CommandContext } from '../../context.ts';
import { chunksOf, readInput, STANDARD_INPUT } from '../../stream/read.ts';
import { bytesInWords } from '../../terminal/format.ts';

/** A content that is sent in parts. */
export interface LargeContent extends NewOutgoing {
  /** What comes from a pipe can be given to one contact only. */
  readonly isReadOnce: boolean;
  /**
   * Reads it in pieces.
   * @param from how many pieces to leave out.
   * @throws `read-failed`; `source-changed` after the last one.
   */
  pieces(length: number, from: number): AsyncIterable<Piece>;
}

/** @param bytes belong to the reader until the next piece is asked for. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

export type Source = WholeSource | { readonly large: LargeContent };

interface WholeSource {
  readonly whole: WholeContent;
  /** Is called once it is encrypted, and committed. */
  readonly onSealed?: () => void;
}

/** A text that was given as such. */
export function textSource(text: string, sentAt: number): WholeSource {
  return { whole: { type: 'text', sentAt, bytes: utf8(text) } };
}

/**
 * Reads standard input, or begins to.
 * @throws `no-input`, `read-failed`, `cut-line`.
 */
export async function inputSource({ io, reporter }: CommandContext): Promise<Source> {
  const sentAt = io.now();
  // A file that is standard input is not read twice to find out whether it is large.
  const chunks = chunksOf(io);
  const gathered = await gather(chunks, MAX_CONTENT, (length) => {
    if (!io.input.isTerminal) reporter.progress.update(`reading, ${bytesInWords(length)}`);
  });
  if (!gathered.isFull) {
    // Most likely the command at the other end of the pipe has failed.
    if (gathered.bytes.length === 0) throw new PawlError('no-input', { source: 'standard input', toSend: true });
    return { whole: { type: 'text', sentAt, bytes: gathered.bytes } };
  }
  return { large: streamed(undefined, gathered.bytes, chunks) };
}

/**
 * Reads a file or a folder, or begins to. A folder becomes the output of tar.
 * @param to whom it is for, for the hint where it does not exist.
 * @throws `missing-file`, `read-failed`, `usage` for a name that cannot be sent.
 */
export async function fileSource(context: CommandContext, path: string, to: string): Promise<Source> {
  const { io, reporter } = context;
  if (path === STANDARD_INPUT) return inputSource(context);
  const status = statSync(path, { throwIfNoEntry: false });
  if (status?.isDirectory()) return folderSource(context, path);
  const name = basename(path);
  const limit = longestUnder(name);
  if (status?.isFile() && status.size > limit) return { large: largeFile(path, name, io.host()) };
  // A pipe or a device, whose length is not known.
  if (status !== undefined && !status.isFile()) return chunkSource(context, name, chunksOfFile(path));
  const bytes = await readInput(io, path, limit, (length) => reporter.progress.update(bytesInWords(length))).catch(
    (error) => {
      throw isPawlError(error, 'missing-file') ? new PawlError('missing-file', { ...error.detail, to }) : error;
    },
  );
  return { whole: { type: 'file', name, sentAt: io.now(), bytes } };
}

/**
 * Looks at a file or a folder that can be read again, as far as that shows whether it can be sent. Reads none of it.
 * @returns `false` for what can be read once only, and was not looked at.
 * @throws as {@link fileSource}.
 */
export function inspectFile(path: string, to: string): boolean {
  if (path === STANDARD_INPUT) return false;
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) throw new PawlError('missing-file', { path, to });
  if (!status.isFile() && !status.isDirectory()) return false;
  checkFileName(status.isDirectory() ? archiveName(path) : basename(path));
  known(path, () => closeSync(openAtOnce(path)));
  return true;
}

function archiveName(path: string): string {
  return `${basename(resolve(path)) || 'root'}.tar`;
}

/** The folder as an archive, in one piece where that is small. */
async function folderSource(context: CommandContext, path: string): Promise<Source> {
  const folder = resolve(path);
  const pack = () => context.io.runTar(dirname(folder), basename(folder) || '.');
  const source = await chunkSource(context, archiveName(path), pack());
  if (!('large' in source)) return source;
  const { large } = source;
  let isBegun = false;
  const pieces: LargeContent['pieces'] = (length, from) => {
    if (isBegun) return piecesOf(pack(), length);
    isBegun = true;
    return large.pieces(length, from);
  };
  return { large: { ...large, pieces, isReadOnce: false } };
}

/** What comes in chunks, as a file of that name. */
async function chunkSource(
  { io }: CommandContext,
  name: string,
  chunks: AsyncIterator<Uint8Array> | Iterator<Uint8Array>,
): Promise<Source> {
  const gathered = await gather(chunks, longestUnder(name), () => undefined);
  if (gathered.isFull) return { large: streamed(name, gathered.bytes, chunks) };
  return { whole: { type: 'file', name, sentAt: io.now(), bytes: gathered.bytes } };
}

/** The most bytes of a file that goes in one message: its name is part of the content, in as many bytes and one. */
function longestUnder(name: string): number {
  return MAX_CONTENT - 1 - utf8(name).length;
}

/** Takes chunks up to a limit, and leaves the rest to the next reader. */
async function gather(
  chunks: AsyncIterator<Uint8Array> | Iterator<Uint8Array>,
  limit: number,
  onProgress: (bytes: number) => void,
): Promise<Gathered> {
  const gathered = new Gathered(limit);
  while (!gathered.isFull) {
    const { done, value } = await chunks.next();
    if (done) break;
    gathered.add(value);
    onProgress(gathered.bytes.length);
  }
  return gathered;
}

/** What is read from a stream: its beginning, then the rest. */
function streamed(
  name: string | undefined,
  beginning: Uint8Array,
  rest: AsyncIterator<Uint8Array> | Iterator<Uint8Array>,
): LargeContent {
  if (name !== undefined) checkFileName(name);
  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield beginning;
      for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
    } finally {
      await rest.return?.();
    }
  }
  return { name, size: undefined, source: undefined, isReadOnce: true, pieces: (length) => piecesOf(chunks(), length) };
}

/**
 * A regular file, as it was when it was first opened.
 * @throws `missing-file`, `read-failed`.
 */
function largeFile(path: string, name: string, host: string): LargeContent {
  checkFileName(name);
  const absolute = resolve(path);
  const { source, size } = lookAt(absolute, host);
  return { ...fileContent(source, size), name };
}

/** A file whose sending was begun. */
export function fileContent(source: SourceFile, size: number): Omit<LargeContent, 'name'> {
  return { size, source, isReadOnce: false, pieces: (length, from) => piecesOfFile(source, { size, length, from }) };
}

/** Whether a file whose sending was begun is on this machine, as it was. */
export function isSameFile(source: SourceFile, size: number): boolean {
  let file: number;
  try {
    file = openAtOnce(source.path);
  } catch {
    return false;
  }
  try {
    return isAsItWas(file, source, size);
  } finally {
    closeSync(file);
  }
}

async function* piecesOfFile(
  source: SourceFile,
  { size, length, from }: { readonly size: number; readonly length: number; readonly from: number },
): AsyncGenerator<Piece, void, undefined> {
  const { path } = source;
  const changed = () => new PawlError('source-changed', { path });
  const isSame = (descriptor: number) => isAsItWas(descriptor, source, size);
  const file = known(path, () => openAtOnce(path));
  try {
    if (!known(path, () => isSame(file))) throw changed();
    const buffer = new Uint8Array(length);
    for (let at = from * length; at < size || at === 0; at += length) {
      const wanted = Math.min(length, size - at);
      let read = 0;
      while (read < wanted) {
        const more = known(path, () => readSync(file, buffer, read, wanted - read, at + read));
        if (more === 0) throw changed();
        read += more;
      }
      const isLast = at + wanted >= size;
      // The last part makes the content complete at the other side, so it is not sent of a file that has changed.
      if (isLast && !known(path, () => isSame(file))) throw changed();
      yield { bytes: buffer.subarray(0, wanted), isLast };
    }
  } finally {
    closeSync(file);
  }
}

/** Cuts chunks into pieces of one length. The last one is known by the end behind it. */
async function* piecesOf(chunks: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Piece, void, undefined> {
  const buffers = [new Uint8Array(length), new Uint8Array(length)] as const;
  let turn: 0 | 1 = 0;
  let filled = 0;
  let isWaiting = false;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      if (filled === length) {
        // More has come: the full piece is not the last one.
        yield { bytes: buffers[turn], isLast: false };
        turn = turn === 0 ? 1 : 0;
        filled = 0;
      }
      const taken = Math.min(chunk.length - at, length - filled);
      buffers[turn].set(chunk.subarray(at, at + taken), filled);
      filled += taken;
      at += taken;
      isWaiting = true;
    }
  }
  if (isWaiting) yield { bytes: buffers[turn].subarray(0, filled), isLast: true };
}

/** Opens a file; a pipe that has taken its place is not waited for. */
function openAtOnce(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

function lookAt(path: string, host: string): { readonly source: SourceFile; readonly size: number } {
  const file = known(path, () => openAtOnce(path));
  try {
    const { inode, modified, size } = known(path, () => statusOf(file));
    return { source: { path, inode, modified, host }, size };
  } finally {
    closeSync(file);
  }
}

function isAsItWas(descriptor: number, { inode, modified }: SourceFile, size: number): boolean {
  const now = statusOf(descriptor);
  return now.inode === inode && now.modified === modified && now.size === size;
}

function statusOf(file: number): { readonly inode: string; readonly modified: string; readonly size: number } {
  const status = fstatSync(file, { bigint: true });
  return { inode: inodeOf(status), modified: String(status.mtimeNs), size: Number(status.size) };
}

function known<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof PawlError) throw cause;
    throw new PawlError('read-failed', { path, reason: reasonOf(cause) }, { cause });
  }
}
