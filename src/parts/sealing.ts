/**
 * Seals and opens the parts of a content, each under a key of its own (docs/PROTOCOL.md §7.1).
 * Does not know which parts there are: see part-log.ts.
 */
import { PART_FIELDS_LENGTH, PART_SALT_LENGTH, PART_TAG_LENGTH, partHead, type SealedPart } from '../envelope/index.ts';
import { PawlError } from '../errors.ts';
import {
  type Branded,
  concat,
  equal,
  hkdfSha256,
  hmacSha256,
  NONCE_LENGTH,
  openInto,
  type Random,
  Reader,
  sealInto,
  sha256,
  TAG_LENGTH,
  uint,
  utf8,
  wipe,
} from '../primitives/index.ts';

/** The key of a content, 32 bytes: random, and in its descriptor. */
export type ContentKey = Branded<'content key'>;
/** What a part says of all parts before it: 32 bytes. */
export type Link = Branded<'link'>;

/** What is derived from the key of a content. */
export interface PartKeys {
  readonly content: ContentKey;
  /** By it, parts are found: 32 bytes. */
  readonly find: Uint8Array;
  /** By it, salts are hedged: 32 bytes. */
  readonly salt: Uint8Array;
}

/** A part of a content. */
export interface Part {
  /** From 0. */
  readonly index: number;
  readonly isLast: boolean;
  readonly link: Link;
  readonly data: Uint8Array;
}

export interface OpenedPart extends Part {
  /** 32 bytes: see {@link partDigest}. */
  readonly digest: Uint8Array;
}

const PART_KEY = utf8('pawl/1 part key');
const PART_FIND = utf8('pawl/1 part find');
const PART_SALT = utf8('pawl/1 part salt');
const PART_BOX = utf8('pawl/1 part box');
const KEY_LENGTH = 32;
const BOX_LENGTH = 16;
/** Each key seals one part. */
const NONCE = new Uint8Array(NONCE_LENGTH);

/** The link of part 0: zeros. */
export const FIRST_LINK: Link = new Uint8Array(32) as Uint8Array as Link;

/** A random key for a content. */
export function newContentKey(random: Random): ContentKey {
  return random(KEY_LENGTH) as ContentKey;
}

/** @param key 32 bytes; the caller's, and not copied. */
export function deriveKeys(key: Uint8Array): PartKeys {
  return {
    content: key as ContentKey,
    find: hkdfSha256(key, PART_FIND, KEY_LENGTH),
    salt: hkdfSha256(key, PART_SALT, KEY_LENGTH),
  };
}

/** Names what is in a part: SHA-256 of index || last || data, 32 bytes. */
export function partDigest({ index, isLast, data }: Pick<Part, 'index' | 'isLast' | 'data'>): Uint8Array {
  return sha256(uint(index, 4), uint(isLast ? 1 : 0, 1), data);
}

/** The link of the next part: SHA-256 of the link and the digest of this one. */
export function nextLink(link: Link, digest: Uint8Array): Link {
  return sha256(link, digest) as Link;
}

/** Whether a part is of the content of these keys. A chance hit, of one in 2^64, does not open. */
export function isOf({ find }: PartKeys, { salt, tag }: SealedPart): boolean {
  return equal(hmacSha256(find, salt).subarray(0, PART_TAG_LENGTH), tag);
}

/** What seals and opens the parts of a content, as its descriptor says. */
export function cipherOf({ key, partSize }: { readonly key: Uint8Array; readonly partSize: number }): PartCipher {
  return new PartCipher(deriveKeys(key), partSize);
}

/**
 * The box of the parts of a content, 16 bytes: both sides know it, and nobody else before the descriptor is accepted. No tag
 * is made of the same input, because a salt has 16 bytes.
 */
export function partBox({ find }: PartKeys): Uint8Array {
  return hmacSha256(find, PART_BOX).slice(0, BOX_LENGTH);
}

/** Seals and opens the parts of a content. Each result is overwritten by the next one. */
export class PartCipher {
  readonly keys: PartKeys;
  readonly #partSize: number;
  /** Made with the first part: many contents are awaited, and parts of few of them come. */
  #plaintext: Uint8Array | undefined;
  #sealed: Uint8Array | undefined;

  constructor(keys: PartKeys, partSize: number) {
    this.keys = keys;
    this.#partSize = partSize;
  }

  /**
   * Seals a part under a fresh key. The salt is hedged by the digest, so that even a repeated random source seals two
   * texts under two keys.
   * @returns the part, valid until the next call, and its digest.
   */
  seal(part: Part, random: Random): { readonly sealed: SealedPart; readonly digest: Uint8Array } {
    const { index, isLast, link, data } = part;
    const { content, find, salt: saltKey } = this.keys;
    const digest = partDigest(part);
    this.#plaintext ??= new Uint8Array(PART_FIELDS_LENGTH + this.#partSize);
    const plaintext = this.#plaintext;
    plaintext.set(uint(index, 4));
    plaintext.set(uint(isLast ? 1 : 0, 1), 4);
    plaintext.set(uint(data.length, 4), 5);
    plaintext.set(link, 9);
    plaintext.set(data, PART_FIELDS_LENGTH);
    plaintext.fill(0, PART_FIELDS_LENGTH + data.length);
    const seed = concat(random(KEY_LENGTH), digest);
    const salt = hmacSha256(saltKey, seed).slice(0, PART_SALT_LENGTH);
    const tag = hmacSha256(find, salt).slice(0, PART_TAG_LENGTH);
    const key = hkdfSha256(content, PART_KEY, KEY_LENGTH, salt);
    const aad = partHead({ salt, tag }, this.#partSize);
    this.#sealed ??= new Uint8Array(plaintext.length + TAG_LENGTH);
    sealInto(this.#sealed, { key, nonce: NONCE, plaintext, aad });
    wipe(key, seed);
    return { sealed: { salt, tag, sealed: this.#sealed }, digest };
  }

  /**
   * Opens a part. What follows from the part alone is checked: its lengths, and that only the last one has less data than
   * the part size.
   * @returns the part; its data are valid until the next call.
   * @throws `corrupt`.
   */
  open({ salt, tag, sealed }: SealedPart): OpenedPart {
    const length = PART_FIELDS_LENGTH + this.#partSize;
    if (sealed.length !== length + TAG_LENGTH) return corrupt();
    this.#plaintext ??= new Uint8Array(length);
    const plaintext = this.#plaintext;
    const key = hkdfSha256(this.keys.content, PART_KEY, KEY_LENGTH, salt);
    const aad = partHead({ salt, tag }, this.#partSize);
    const isGenuine = openInto(plaintext, { key, nonce: NONCE, sealed, aad });
    wipe(key);
    if (!isGenuine) return corrupt();
    const fields = new Reader(plaintext.subarray(0, PART_FIELDS_LENGTH), corrupt);
    const index = fields.uint(4);
    const last = fields.uint(1);
    const filled = fields.uint(4);
    const link = fields.take(FIRST_LINK.length) as Link;
    const isLast = last === 1;
    const isLong = isLast ? filled <= this.#partSize && (filled > 0 || index === 0) : filled === this.#partSize;
    if (last > 1 || !isLong) corrupt();
    const data = plaintext.subarray(PART_FIELDS_LENGTH, PART_FIELDS_LENGTH + filled);
    const padding = plaintext.subarray(PART_FIELDS_LENGTH + filled);
    if (!equal(padding, new Uint8Array(padding.length))) corrupt();
    return { index, isLast, link, data, digest: partDigest({ index, isLast, data }) };
  }

  /** Lets go of the buffers, until the next part. What was left of the last one is overwritten. */
  rest(): void {
    if (this.#plaintext !== undefined) wipe(this.#plaintext);
    this.#plaintext = undefined;
    this.#sealed = undefined;
  }

  /** Overwrites the keys, and what is left of the last part. */
  wipe(): void {
    const { content, find, salt } = this.keys;
    wipe(content, find, salt);
    this.rest();
  }
}

function corrupt(): never {
  throw new PawlError('corrupt', { what: 'part of a content' });
}
