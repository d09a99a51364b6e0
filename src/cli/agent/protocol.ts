/**
 * What is said to an agent and what it answers: messages of fixed lengths, and nothing else is taken.
 * Opens no connection.
 */
import { concat, equal, fromUtf8, Reader, uint, uint64, utf8 } from '../../primitives/index.ts';

/** Begins each message: whoever speaks another version is not understood. */
const LABEL = utf8('pawl-agent/1');
const SALT_LENGTH = 16;
const KEY_LENGTH = 32;

const END = 2;
const CODES = { give: 1, peek: 3, end: END } as const;
const WISHES = ['give', 'peek', 'end'] as const;

/** `give`: the key of the file with this salt. `peek`: the same, which is no use of it. `end`: forget it. */
export interface Request {
  readonly wants: 'give' | 'peek' | 'end';
  /** 16 bytes: the salt of an identity file. */
  readonly salt: Uint8Array;
}

/** In bytes. */
export const REQUEST_LENGTH = LABEL.length + 1 + SALT_LENGTH;
/** Of the answer to `give` and `peek`, in bytes. */
export const KEY_ANSWER_LENGTH = LABEL.length + KEY_LENGTH;
/** Says that the key is gone. */
export const ENDED = concat(LABEL, Uint8Array.of(END));

export function encodeRequest({ wants, salt }: Request): Uint8Array {
  return concat(LABEL, Uint8Array.of(CODES[wants]), salt);
}

/** @returns `undefined` for anything else than one whole request. */
export function decodeRequest(bytes: Uint8Array): Request | undefined {
  if (bytes.length !== REQUEST_LENGTH || !isLabelled(bytes)) return undefined;
  const wants = WISHES.find((one) => CODES[one] === bytes[LABEL.length]);
  return wants && { wants, salt: new Uint8Array(bytes.subarray(LABEL.length + 1)) };
}

/** @returns a copy of the key in a message, which the caller overwrites. */
export function encodeKey(key: Uint8Array): Uint8Array {
  return concat(LABEL, key);
}

/** @returns the key, 32 bytes, in memory of its own; `undefined` for anything else than one whole answer. */
export function decodeKey(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length !== KEY_ANSWER_LENGTH || !isLabelled(bytes)) return undefined;
  return new Uint8Array(bytes.subarray(LABEL.length));
}

function isLabelled(bytes: Uint8Array): boolean {
  return equal(bytes.subarray(0, LABEL.length), LABEL);
}

/** What an agent is started with. */
export interface Setup {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** 16 bytes. */
  readonly salt: Uint8Array;
  /** How long the key is kept after each use, in milliseconds. */
  readonly idle: number;
  /** How long it is kept at most, in milliseconds. */
  readonly most: number;
  /** The absolute path of the folder of its socket. */
  readonly folder: string;
}

/** In bytes: longer than any path to a socket. */
export const LONGEST_SETUP = 512;

/** @returns bytes with the key in them, which the caller overwrites. */
export function encodeSetup({ key, salt, idle, most, folder }: Setup): Uint8Array {
  const path = utf8(folder);
  return concat(key, salt, uint64(idle), uint64(most), uint(path.length, 2), path);
}

/** @returns `undefined` where a part of it is missing, as when its sender was killed. */
export function decodeSetup(bytes: Uint8Array): Setup | undefined {
  const cutShort = new Error('cut short');
  const reader = new Reader(bytes, () => {
    throw cutShort;
  });
  try {
    const fields = {
      key: reader.take(KEY_LENGTH),
      salt: reader.take(SALT_LENGTH),
      idle: reader.uint64(Number.MAX_SAFE_INTEGER),
      most: reader.uint64(Number.MAX_SAFE_INTEGER),
    };
    const folder = fromUtf8(reader.take(reader.uint(2)));
    reader.end();
    return folder === undefined ? undefined : { ...fields, folder };
  } catch (error) {
    if (error !== cutShort) throw error;
    return undefined;
  }
}
