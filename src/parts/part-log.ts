/**
 * Which parts of a content are there, and whether another one agrees with them (docs/PROTOCOL.md §7.1).
 * Does not know where their data are.
 */
import { PawlError } from '../errors.ts';
import { equal } from '../primitives/index.ts';
import { FIRST_LINK, type Link, nextLink, type OpenedPart, partDigest } from './sealing.ts';

/** How many parts beyond the first that is missing are taken: what has to be stored of each is bounded by it. */
export const REACH = 4_096;
/** Bytes of the digest that are kept. */
const KEPT = 16;

/** What is stored of a part that is there. */
export interface PartRecord {
  readonly index: number;
  readonly isLast: boolean;
  /** The first 16 bytes of its digest. */
  readonly digest: Uint8Array;
  readonly link: Link;
  /** The link that the next part must have. */
  readonly next: Link;
  /** Bytes of data. */
  readonly length: number;
}

/** `stored`: it is there, and its record is in the store alone. */
export type PartVerdict = 'new' | 'duplicate' | 'stored';

/** What a content is known to be. */
export interface Whole {
  /** In bytes; `undefined` where the sender did not know it. */
  readonly size: number | undefined;
  readonly partSize: number;
}

export class PartLog {
  readonly #whole: Whole;
  /** Of parts from {@link #kept} on. */
  readonly #records = new Map<number, PartRecord>();
  /** All parts below it are there, and their records are not here. The last part is not among them. */
  #kept: number;
  /** The first part that is missing. */
  #missing: number;
  #last: number | undefined;
  #bytes: number;

  /**
   * @param records what is stored of the parts that are there, from `kept` on.
   * @param kept all parts below it are there, and the one at it: see {@link forget}.
   */
  constructor(whole: Whole, records: Iterable<PartRecord> = [], kept = 0) {
    this.#whole = whole;
    this.#kept = kept;
    this.#missing = kept;
    this.#bytes = kept * whole.partSize;
    for (const record of records) this.#add(record);
  }

  /** The index of the first part that is missing. */
  get firstMissing(): number {
    return this.#missing;
  }

  /** How many parts are there. */
  get count(): number {
    return this.#kept + this.#records.size;
  }

  /** The first part whose record is here. */
  get kept(): number {
    return this.#kept;
  }

  /** Whether a part is there. */
  has(index: number): boolean {
    return index < this.#kept || this.#records.has(index);
  }

  /** Whether a part is missing, and would be taken if it came. */
  wants(index: number): boolean {
    const { total = Number.POSITIVE_INFINITY } = this;
    return !this.has(index) && index < total && index <= this.#missing + REACH;
  }

  /** How many parts there will be, once that is known. */
  get total(): number | undefined {
    const { size, partSize } = this.#whole;
    if (size !== undefined) return partsOf(size, partSize);
    return this.#last === undefined ? undefined : this.#last + 1;
  }

  get isComplete(): boolean {
    return this.#missing === this.total;
  }

  /** The bytes of data that are there. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Of the parts from {@link kept} on. */
  get records(): Iterable<PartRecord> {
    return this.#records.values();
  }

  /**
   * Forgets the records that no part is compared with but one of the same index; they must be stored. What is kept is that of
   * the last part before the first that is missing, and those behind: {@link REACH} at most.
   */
  forget(): void {
    for (; this.#kept < this.#missing - 1; this.#kept += 1) this.#records.delete(this.#kept);
  }

  /**
   * Compares a part with the size of the content and with the parts that are there.
   * @returns `duplicate` for one that is there; `stored` where that is to be found out by {@link refuseOther}.
   * @throws `parts-contradict`; `part-too-far`.
   */
  check(part: OpenedPart): PartVerdict {
    const { index, isLast, link, data, digest } = part;
    const known = this.#records.get(index);
    if (known !== undefined) {
      refuseOther(known, part);
      return 'duplicate';
    }
    if (index < this.#kept) return 'stored';
    const { size, partSize } = this.#whole;
    if (size !== undefined) {
      const length = Math.min(size - index * partSize, partSize);
      if (isLast !== (index + 1 === this.total) || data.length !== length) contradict(index);
    } else if (this.#last !== undefined && (isLast || index > this.#last)) contradict(index);
    else if (isLast && [...this.#records.keys()].some((other) => other > index)) contradict(index);
    if (index > this.#missing + REACH) throw new PawlError('part-too-far', { index, missing: this.#missing });
    const before = this.#records.get(index - 1);
    const expected = index === 0 ? FIRST_LINK : before?.next;
    const after = this.#records.get(index + 1);
    if (expected !== undefined && !equal(expected, link)) contradict(index);
    if (after !== undefined && !equal(after.link, nextLink(link, digest))) contradict(index);
    return 'new';
  }

  /** Adds a part that {@link check} found to be new, once its data are in their place. @returns what to store of it. */
  add({ index, isLast, link, data, digest }: OpenedPart): PartRecord {
    const record = {
      index,
      isLast,
      digest: digest.slice(0, KEPT),
      link,
      next: nextLink(link, digest),
      length: data.length,
    };
    this.#add(record);
    return record;
  }

  #add(record: PartRecord): void {
    this.#records.set(record.index, record);
    this.#bytes += record.length;
    if (record.isLast) this.#last = record.index;
    while (this.#records.has(this.#missing)) this.#missing += 1;
  }
}

/** How many parts a content of a size has. */
export function partsOf(size: number, partSize: number): number {
  return Math.max(Math.ceil(size / partSize), 1);
}

/** Whether data are those of a part that is there. */
export function isDataOf({ index, isLast, digest }: PartRecord, data: Uint8Array): boolean {
  return equal(digest, partDigest({ index, isLast, data }).subarray(0, KEPT));
}

/**
 * Compares a part with what is stored of the one that is there.
 * @throws `parts-contradict`, where it is another.
 */
export function refuseOther(known: Pick<PartRecord, 'digest' | 'link'>, { index, link, digest }: OpenedPart): void {
  if (!equal(known.digest, digest.subarray(0, KEPT)) || !equal(known.link, link)) contradict(index);
}

function contradict(index: number): never {
  throw new PawlError('parts-contradict', { index });
}
