/**
 * The content of a message, a text, a file or the descriptor of a larger content, as the padded plaintext of its body (docs/PROTOCOL.md §7).
 * Knows nothing of encryption or of the file system.
 */
import { PawlError } from '../errors.ts';
import { concat, equal, fromUtf8, Reader, uint, uint64, utf8 } from '../primitives/index.ts';
import { isPartSize } from './head.ts';
import { paddedLength } from './padding.ts';

/** A text (or any bytes from a pipe), a file with its base name, or what is needed to read a content that comes in parts. */
export type Content = TextContent | FileContent | Descriptor;

/** The content of a message that has its bytes in it. */
export type WholeContent = Exclude<Content, Descriptor>;

export interface TextContent {
  readonly type: 'text';
  /** Unix milliseconds: an integer from 0 to 8.64e15. */
  readonly sentAt: number;
  readonly bytes: Uint8Array;
}

export interface FileContent {
  readonly type: 'file';
  /** See {@link isFileName}. */
  readonly name: string;
  /** Unix milliseconds: an integer from 0 to 8.64e15. */
  readonly sentAt: number;
  readonly bytes: Uint8Array;
}

/** Describes a content that comes in parts (docs/PROTOCOL.md §7.1). */
export interface Descriptor {
  readonly type: 'descriptor';
  /** Of a file: see {@link isFileName}. */
  readonly name: string | undefined;
  /** Unix milliseconds: an integer from 0 to 8.64e15. */
  readonly sentAt: number;
  /** In bytes; `undefined` where the sender does not know it yet. See {@link largestSize}. */
  readonly size: number | undefined;
  /** Bytes of data in each part but the last: see `PART_SIZES`. */
  readonly partSize: number;
  /** 32 bytes, from which the keys of the parts are derived. */
  readonly key: Uint8Array;
}

/** What is stored beside a content, so that it is known without being read. `length`: bytes, without a file's name. */
export type ContentHead = { readonly sentAt: number; readonly length: number } & (
  | { readonly kind: 'text' }
  /** Not UTF-8, or with a NUL: see {@link textOf}. */
  | { readonly kind: 'bytes' }
  | { readonly kind: 'file'; readonly name: string }
);

/** 16 MiB, including a file's name. Sealing is not streamed, so memory holds several copies of the content. */
export const MAX_CONTENT = 16 * 2 ** 20;

const TEXT = 1;
const FILE = 2;
const DESCRIPTOR = 3;
/** The size of a content whose sender does not know it: FF×8. */
const UNKNOWN_SIZE = new Uint8Array(8).fill(0xff);
const KEY_LENGTH = 32;
/** The index of a part has 4 bytes. */
const MOST_PARTS = 2 ** 32 - 1;
/** Length of the head: type (1) || time sent (8) || content length (4). */
export const CONTENT_HEAD_LENGTH = 13;
/** The latest time that a `Date` can represent, in unix milliseconds. */
const MAX_TIME = 8.64e15;
const MAX_NAME = 255;
/** Path separators of any system, and the control characters C0, DEL and C1, which act on a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the class excludes control characters
const FORBIDDEN = /[/\\\u0000-\u001f\u007f-\u009f]/;
const EMPTY = new Uint8Array(0);

/**
 * Whether a file can be sent under `name`: a base name of 1 to 255 bytes in UTF-8, neither `.` nor `..`, without slash,
 * backslash and control characters (docs/PROTOCOL.md §7). A file of such a name is written inside the chosen folder.
 * The name may still begin with a dot or a dash, and contain characters that change the direction of writing.
 */
export function isFileName(name: string): boolean {
  const bytes = utf8(name);
  if (bytes.length === 0 || bytes.length > MAX_NAME) return false;
  // A lone surrogate cannot be encoded in UTF-8, so it would arrive as another name.
  return name !== '.' && name !== '..' && !FORBIDDEN.test(name) && fromUtf8(bytes) === name;
}

/** The most bytes that a content may have whose parts have so many. */
export function largestSize(partSize: number): number {
  return Math.min(partSize * MOST_PARTS, Number.MAX_SAFE_INTEGER);
}

/**
 * Encodes the plaintext of a message body: type (1) || time sent (8) || content length (4) || content || zeros, padded
 * to {@link paddedLength} (docs/PROTOCOL.md §7). A file's content begins with name length (1) || name. A descriptor is
 * name length (1), 0 without a name || name || size (8) || part size (4) || key (32).
 * @throws `too-large` when the content, including a file's name, is over {@link MAX_CONTENT}; `usage` when
 * {@link isFileName} does not allow the file's name.
 */
export function encodeContent(content: Content): Uint8Array {
  const { type, name, body } = fieldsOf(content);
  const length = name.length + body.length;
  if (length > MAX_CONTENT) throw new PawlError('too-large', { what: 'content', bytes: length, limit: MAX_CONTENT });
  const bytes = new Uint8Array(paddedLength(CONTENT_HEAD_LENGTH + length));
  const head = concat(uint(type, 1), uint64(content.sentAt), uint(length, 4), name);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}

function fieldsOf(content: Content): { readonly type: number; readonly name: Uint8Array; readonly body: Uint8Array } {
  switch (content.type) {
    case 'text':
      return { type: TEXT, name: EMPTY, body: content.bytes };
    case 'file':
      return { type: FILE, name: encodeName(content.name), body: content.bytes };
    case 'descriptor': {
      const { name, size, partSize, key } = content;
      return {
        type: DESCRIPTOR,
        name: name === undefined ? uint(0, 1) : encodeName(name),
        body: concat(size === undefined ? UNKNOWN_SIZE : uint64(size), uint(partSize, 4), key),
      };
    }
  }
}

/**
 * Decodes what {@link encodeContent} encoded, and nothing else: it checks the padded length and the zeros too. The
 * content is returned as a view of the input, because it may be large.
 * @throws `corrupt` for any other input.
 */
export function decodeContent(bytes: Uint8Array): Content {
  const head = new Reader(bytes.subarray(0, CONTENT_HEAD_LENGTH), corrupt);
  const type = head.uint(1);
  const sentAt = head.uint64(MAX_TIME);
  const end = CONTENT_HEAD_LENGTH + head.uint(4);
  if (end > CONTENT_HEAD_LENGTH + MAX_CONTENT || bytes.length !== paddedLength(end)) corrupt();
  const padding = bytes.subarray(end);
  if (!equal(padding, new Uint8Array(padding.length))) corrupt();

  if (type === TEXT) return { type: 'text', sentAt, bytes: bytes.subarray(CONTENT_HEAD_LENGTH, end) };
  const field = new Reader(bytes.subarray(CONTENT_HEAD_LENGTH, end), corrupt);
  if (type === DESCRIPTOR) return readDescriptor(field, sentAt);
  if (type !== FILE) return corrupt();
  const name = readName(field) ?? corrupt();
  return { type: 'file', name, sentAt, bytes: bytes.subarray(end - field.left, end) };
}

function readDescriptor(field: Reader, sentAt: number): Descriptor {
  const name = readName(field);
  const sizeBytes = field.take(UNKNOWN_SIZE.length);
  const partSize = field.uint(4);
  if (!isPartSize(partSize)) corrupt();
  const size = equal(sizeBytes, UNKNOWN_SIZE)
    ? undefined
    : new Reader(sizeBytes, corrupt).uint64(largestSize(partSize));
  const key = field.take(KEY_LENGTH);
  field.end();
  return { type: 'descriptor', name, sentAt, size, partSize, key };
}

/**
 * Decodes the content of a message that has its bytes in it.
 * @throws `corrupt` for any other input, and for a descriptor.
 */
export function decodeWhole(bytes: Uint8Array): WholeContent {
  const content = decodeContent(bytes);
  return content.type === 'descriptor' ? corrupt() : content;
}

export function headOf(content: WholeContent): ContentHead {
  const { sentAt, bytes } = content;
  const { length } = bytes;
  if (content.type === 'file') return { kind: 'file', name: content.name, sentAt, length };
  return { kind: textOf(bytes) === undefined ? 'bytes' : 'text', sentAt, length };
}

/**
 * The text for display; `undefined` when the bytes are not UTF-8 or contain a NUL, which ends a text in other tools.
 */
export function textOf(bytes: Uint8Array): string | undefined {
  const text = fromUtf8(bytes);
  return text?.includes('\0') ? undefined : text;
}

/** @throws `usage` for a name under which no file can be sent. */
export function checkFileName(name: string): void {
  if (isFileName(name)) return;
  throw new PawlError('usage', {
    problem: `a file cannot be sent under the name ${JSON.stringify(name)}`,
    hint: `a name has 1 to ${MAX_NAME} bytes and no slash, backslash or control character`,
  });
}

function encodeName(name: string): Uint8Array {
  checkFileName(name);
  const bytes = utf8(name);
  return concat(uint(bytes.length, 1), bytes);
}

/** `undefined`: the name has no bytes. */
function readName(field: Reader): string | undefined {
  const bytes = field.take(field.uint(1));
  if (bytes.length === 0) return undefined;
  const name = fromUtf8(bytes);
  return name !== undefined && isFileName(name) ? name : corrupt();
}

function corrupt(): never {
  throw new PawlError('corrupt', { what: 'message content' });
}
