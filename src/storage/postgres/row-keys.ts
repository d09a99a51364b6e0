/**
 * The keys under which rows lie in the database, and their sealing (docs/PROTOCOL.md §8): the owner of the database sees
 * how many rows there are of which table, how long they are and when they change.
 * Knows no SQL.
 */
import {
  concat,
  equal,
  hkdfSha256,
  hmacSha256,
  type Random,
  toHex,
  utf8,
  wipe,
  XNONCE_LENGTH,
  xopen,
  xseal,
} from '../../primitives/index.ts';
import type { Lock } from '../sqlcipher.ts';
import type { Value } from './row-codec.ts';

/** The bytes of a row's key, and of what it is looked up by. */
export const TAG_BYTES = 16;

/** Where a sealed value stands. It opens nowhere else. */
export interface Place {
  /** The name of the table. */
  readonly table: string;
  /** The key of the row: see {@link RowKeys.tag}. */
  readonly key: Uint8Array;
  readonly column: 'record' | 'content';
  /** The id of the commit that wrote the value: 16 bytes. */
  readonly commitId: Uint8Array;
}

/** The keys of one identity's rows, derived from its file key and salt. */
export class RowKeys {
  readonly #salt: Uint8Array;
  readonly #sealing: Uint8Array;
  readonly #lookup: Uint8Array;
  readonly #check: Uint8Array;
  readonly #random: Random;

  constructor({ key, salt }: Lock, random: Random) {
    const derive = (label: string) => hkdfSha256(key, utf8(label), 32, salt);
    this.#salt = salt;
    this.#sealing = derive('pawl/1 row');
    this.#lookup = derive('pawl/1 row lookup');
    this.#check = derive('pawl/1 row check').subarray(0, TAG_BYTES);
    this.#random = random;
  }

  /** 16 bytes that stand in clear beside the salt. They tell a wrong key, and nothing else. */
  get checkValue(): Uint8Array {
    return this.#check.slice();
  }

  /** Whether an identity with this check value has this key. Takes the same time whatever the answer. */
  fits(checkValue: Uint8Array): boolean {
    return equal(checkValue, this.#check);
  }

  /**
   * What a row lies under, or is looked up by, in place of values that nobody else is to see.
   * @param use distinguishes what the row can be looked up by.
   * @returns 16 bytes, the same for the same values.
   */
  tag(table: string, use: string, values: readonly Value[]): Uint8Array {
    const text = `${table}\0${use}\0${writtenAll(values)}`;
    return hmacSha256(this.#lookup, utf8(text)).slice(0, TAG_BYTES);
  }

  /** @returns nonce (24 bytes) || ciphertext || tag (16 bytes), of XChaCha20-Poly1305. */
  seal(plaintext: Uint8Array, place: Place): Uint8Array {
    const nonce = this.#random(XNONCE_LENGTH);
    return concat(nonce, xseal(this.#sealing, nonce, plaintext, this.#associated(place)));
  }

  /** Opens what {@link seal} has sealed for the same place. @returns `undefined` where it does not authenticate. */
  open(sealed: Uint8Array, place: Place): Uint8Array | undefined {
    if (sealed.length < XNONCE_LENGTH) return undefined;
    const nonce = sealed.subarray(0, XNONCE_LENGTH);
    return xopen(this.#sealing, nonce, sealed.subarray(XNONCE_LENGTH), this.#associated(place));
  }

  wipe(): void {
    wipe(this.#sealing, this.#lookup, this.#check);
  }

  /** All but the names have fixed lengths, and these hold no NUL. */
  #associated({ table, key, column, commitId }: Place): Uint8Array {
    return concat(this.#salt, commitId, key, utf8(`${table}\0${column}`));
  }
}

/** What a row is called in lists. Different rows have different names, and those of a table begin as with no key. */
export function nameOf(kind: number, key: readonly Value[]): string {
  return `${kind} ${writtenAll(key)}`;
}

function writtenAll(values: readonly Value[]): string {
  return values.map(written).join('\0');
}

/** Different values are written differently: a NUL within a text is escaped. */
function written(value: Value): string {
  if (value === null) return '';
  if (typeof value === 'number') return `${value}`;
  return typeof value === 'string' ? JSON.stringify(value) : `x${toHex(value)}`;
}
