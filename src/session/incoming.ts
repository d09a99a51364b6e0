/**
 * Contents that come in parts: which are there, and who takes them (docs/PROTOCOL.md §7.1).
 * Does not know where the data of the parts are put.
 */
import type { Descriptor, SealedPart } from '../envelope/index.ts';
import { PawlError } from '../errors.ts';
import {
  cipherOf,
  isDataOf,
  isOf,
  type OpenedPart,
  type PartCipher,
  PartLog,
  type PartRecord,
  type PartVerdict,
  partBox,
  refuseOther,
} from '../parts/index.ts';
import { equal } from '../primitives/index.ts';
import { claimsOf, claimTime, isDue } from './claims.ts';
import { correctTimes, TRANSFER_RETENTION } from './maintenance.ts';
import { type AcceptedMessage, type Announced, noticesOf } from './outcome.ts';
import { hasRoute } from './routes.ts';
import { spendBox, spendBoxOf } from './spent-boxes.ts';
import type { Contact, Context, PartialPlace, StoredIncoming, Transaction } from './store.ts';
import { endContent, nameOf } from './transfers.ts';

/** The most contents of a contact that are awaited at once; of one who is not verified. */
const MOST_INCOMING = 16;
const MOST_INCOMING_UNVERIFIED = 4;

/**
 * Refuses a descriptor whose key is that of another content, and one of a contact of whom many contents are unfinished.
 * @param contact `undefined` for a new one, of whom there is none.
 * @throws `too-many-incoming`, `corrupt`.
 */
export async function refuseExcessIncoming(
  transaction: Transaction,
  contact: Contact | undefined,
  { key }: Descriptor,
): Promise<void> {
  const incoming = await transaction.incoming();
  if (incoming.some(({ descriptor }) => equal(descriptor.key, key))) {
    throw new PawlError('corrupt', { what: 'message content' });
  }
  if (contact === undefined) return;
  const { id, name, verifiedAt } = contact;
  const limit = verifiedAt === undefined ? MOST_INCOMING_UNVERIFIED : MOST_INCOMING;
  if (incoming.filter((one) => one.contact === id).length >= limit) {
    throw new PawlError('too-many-incoming', { name, limit });
  }
}

/** Stores the descriptor of an accepted message. */
export async function announce(
  transaction: Transaction,
  message: AcceptedMessage<Descriptor>,
  now: number,
): Promise<Announced> {
  const { contact, id, n, late, content: descriptor } = message;
  const incoming = { contact: contact.id, messageId: id, n, late, receivedAt: now, descriptor };
  const incomingId = await transaction.addIncoming(incoming);
  const verified = contact.verifiedAt !== undefined;
  return {
    type: 'announced',
    incomingId,
    from: contact.name,
    verified,
    id,
    n,
    late,
    descriptor,
    notices: noticesOf(message),
  };
}

/** Reads data of a content from where they were put: fewer bytes where there are no more. */
type ReadData = (position: number, length: number) => Uint8Array;

/** A content that comes in parts, with its keys. */
export class IncomingContent {
  readonly from: string;
  readonly verified: boolean;
  readonly row: StoredIncoming;
  readonly #context: Context;
  readonly #cipher: PartCipher;
  #log: PartLog;
  /** The parts that earlier commands have put in their place, and those of them that this one has looked at. */
  #earlier: Earlier;
  readonly #looked = new Set<number>();
  /** In the log, and not committed. */
  #unsaved: PartRecord[] = [];
  #place: PartialPlace | undefined;
  /** By the clock of claims. */
  #claimedAt = 0;

  constructor(context: Context, row: StoredIncoming, contact: Contact, records: readonly PartRecord[]) {
    this.row = row;
    this.from = contact.name;
    this.verified = contact.verifiedAt !== undefined;
    this.#context = context;
    this.#cipher = cipherOf(row.descriptor);
    this.#log = new PartLog(row.descriptor, records, row.allBelow);
    this.#earlier = earlierOf(row, records);
    this.#place = row.place;
  }

  get log(): Pick<PartLog, 'firstMissing' | 'count' | 'total' | 'isComplete' | 'bytes' | 'has' | 'wants'> {
    return this.#log;
  }

  get place(): PartialPlace | undefined {
    return this.#place;
  }

  /** Whether there are parts whose arrival is not committed. */
  get hasUnsaved(): boolean {
    return this.#unsaved.length > 0;
  }

  /** The box of its parts, 16 bytes, at whatever place its sender is reached. */
  get box(): Uint8Array {
    return partBox(this.#cipher.keys);
  }

  /** Whether a part is of this content. */
  owns(part: SealedPart): boolean {
    return isOf(this.#cipher.keys, part);
  }

  /**
   * Opens a part, and compares it with those that are there.
   * @throws `corrupt`, `parts-contradict`, `part-too-far`.
   */
  open(part: SealedPart): { readonly part: OpenedPart; readonly verdict: PartVerdict } {
    const opened = this.#cipher.open(part);
    return { part: opened, verdict: this.#log.check(opened) };
  }

  /** Compares a part with the one that is stored. @throws `parts-contradict`. */
  async compare(part: OpenedPart): Promise<void> {
    const record = await this.#stored(part.index);
    if (record !== undefined) refuseOther(record, part);
  }

  /** Lets go of the buffers, until the next part comes. */
  rest(): void {
    this.#cipher.rest();
  }

  /**
   * Whether the data of a part that is there have to be put in their place anew: an earlier command has put them there, and
   * they are others by now. Looks once.
   */
  async isChanged(index: number, read: ReadData): Promise<boolean> {
    if (!this.#isEarlier(index)) return false;
    this.#looked.add(index);
    const record = await this.#stored(index);
    return record !== undefined && !this.#isAsItWas(record, read);
  }

  /**
   * Compares what earlier commands have put in its place with what they noted. From the first part on whose data are others by
   * now, all are missing again: a file that was cut has lost its end.
   * @returns how many.
   */
  async dropChanged(read: ReadData): Promise<number> {
    const changed = await this.#firstChanged(read);
    if (changed === undefined) return 0;
    const { id, descriptor } = this.row;
    const kept = Math.max(changed - 1, 0);
    const before = this.#log.count;
    this.#log = await this.#context.store.transaction(async (transaction) => {
      await this.#refuseTaken(transaction);
      const place = this.#place;
      await transaction.dropReceivedParts(id, changed);
      if (place !== undefined) await transaction.setPlace(id, place);
      await transaction.addReceivedParts(id, [], kept);
      return new PartLog(descriptor, await transaction.receivedParts(id, kept), kept);
    });
    this.#unsaved = [];
    return before - this.#log.count;
  }

  /** Reads the records in slices, of which there may be many. */
  async #firstChanged(read: ReadData): Promise<number | undefined> {
    const { store } = this.#context;
    let from = 0;
    while (from < this.#earlier.end) {
      const records = await store.snapshot((view) => view.receivedParts(this.row.id, from, SLICE));
      for (const record of records) {
        if (this.#isEarlier(record.index) && !this.#isAsItWas(record, read)) return record.index;
        from = record.index + 1;
      }
      if (records.length === 0) break;
    }
    this.#earlier = NONE;
    return undefined;
  }

  /** Whether an earlier command has put a part in its place, and nobody has looked at it since. */
  #isEarlier(index: number): boolean {
    const { below, others } = this.#earlier;
    return (index < below || others.has(index)) && !this.#looked.has(index);
  }

  async #stored(index: number): Promise<PartRecord | undefined> {
    const [record] = await this.#context.store.snapshot((view) => view.receivedParts(this.row.id, index, 1));
    return record?.index === index ? record : undefined;
  }

  #isAsItWas(record: PartRecord, read: ReadData): boolean {
    return isDataOf(record, read(record.index * this.row.descriptor.partSize, record.length));
  }

  /** Adds a part whose data are in their place. They must be on the disk before `save`. */
  add(part: OpenedPart): void {
    this.#unsaved.push(this.#log.add(part));
  }

  /** Adds a part whose data were written to a stream: no later command is to know of it. */
  addWritten(part: OpenedPart): void {
    this.#log.add(part);
    this.#log.forget();
  }

  /**
   * Makes this process the only one that takes parts, and reads what others have taken since the content was read.
   * @throws `taken-elsewhere`.
   */
  async take(): Promise<void> {
    const { id, descriptor } = this.row;
    const { process, store } = this.#context;
    await store.transaction(async (transaction) => {
      const row = (await transaction.incoming()).find((one) => one.id === id);
      if (row?.claim?.process === process) return;
      if (row === undefined || isTakenElsewhere(this.#context, row)) {
        throw new PawlError('taken-elsewhere', { what: nameOf(descriptor) });
      }
      this.#claimedAt = claimTime(this.#context);
      await transaction.handOverIncoming(id, row.claim?.process, process, this.#claimedAt);
      const records = await transaction.receivedParts(id, row.allBelow);
      this.#log = new PartLog(descriptor, records, row.allBelow);
      this.#earlier = earlierOf(row, records);
      this.#looked.clear();
      this.#unsaved = [];
      this.#place = row.place;
    });
  }

  /**
   * Renews the claim where it is old: what is written next is not to be written by another process, too.
   * @throws `taken-elsewhere`.
   */
  async hold(): Promise<void> {
    if (!isDue(this.#context, this.#claimedAt)) return;
    await this.#context.store.transaction((transaction) => this.#refuseTaken(transaction));
  }

  /** Begins anew in a place: no part is there. */
  async begin(place: PartialPlace | undefined): Promise<void> {
    const { id, descriptor } = this.row;
    await this.#context.store.transaction(async (transaction) => {
      await this.#refuseTaken(transaction);
      await transaction.dropReceivedParts(id);
      if (place !== undefined) await transaction.setPlace(id, place);
    });
    this.#log = new PartLog(descriptor);
    this.#earlier = NONE;
    this.#unsaved = [];
    this.#place = place;
  }

  /**
   * Commits which parts are there. Their data must be on the disk.
   * @param target what the partial file is to be called, where all are there.
   * @throws `taken-elsewhere`.
   */
  async save(target?: string): Promise<void> {
    const [parts, place] = [this.#unsaved, this.#place];
    if (parts.length === 0 && target === undefined) return;
    await this.#context.store.transaction(async (transaction) => {
      await this.#refuseTaken(transaction);
      await transaction.addReceivedParts(this.row.id, parts, Math.max(this.#log.firstMissing - 1, 0));
      if (target !== undefined && place !== undefined) await transaction.setPlace(this.row.id, { ...place, target });
    });
    this.#unsaved = [];
    this.#log.forget();
    if (target !== undefined && place !== undefined) this.#place = { ...place, target };
  }

  /** Renews the claim; refuses where another process took the content because this one was silent for too long. */
  async #refuseTaken(transaction: Transaction): Promise<void> {
    const { id, descriptor } = this.row;
    const { process } = this.#context;
    this.#claimedAt = claimTime(this.#context);
    if (await transaction.handOverIncoming(id, process, process, this.#claimedAt)) return;
    // What is gone, with a contact that was forgotten, nobody takes.
    if ((await transaction.incoming()).every((one) => one.id !== id)) return;
    throw new PawlError('taken-elsewhere', { what: nameOf(descriptor) });
  }

  /** The content is delivered: its key goes, its box is to be emptied, and the history gets name and length. */
  async finish(): Promise<void> {
    const { id, contact } = this.row;
    const ended = { direction: 'received', row: this.row, length: this.#log.bytes } as const;
    await endContent(this.#context, ended, async (transaction, at) => {
      const wasThere = await transaction.dropIncoming(id);
      if (wasThere && (await hasRoute(transaction, contact))) await spendBox(transaction, contact, this.box, at);
      return wasThere;
    });
  }

  /** Lets other processes take parts. */
  async release(): Promise<void> {
    const { store, process } = this.#context;
    await store.transaction((transaction) =>
      transaction.handOverIncoming(this.row.id, process, undefined, claimTime(this.#context)),
    );
  }

  /** Overwrites the keys in memory. */
  wipe(): void {
    this.#cipher.wipe();
  }
}

/** Parts that were there: all below one, and some others; none from `end` on. */
interface Earlier {
  readonly below: number;
  readonly others: ReadonlySet<number>;
  readonly end: number;
}

const NONE: Earlier = { below: 0, others: new Set(), end: 0 };
/** So many records are read at once. */
const SLICE = 1_000;

function earlierOf({ allBelow }: Pick<StoredIncoming, 'allBelow'>, records: readonly PartRecord[]): Earlier {
  const others = new Set(records.map(({ index }) => index));
  return { below: allBelow, others, end: Math.max(allBelow, (records.at(-1)?.index ?? -1) + 1) };
}

/** Whether another process takes the parts, and runs, or may run. */
function isTakenElsewhere(context: Context, { claim }: StoredIncoming): boolean {
  return claim !== undefined && claim.process !== context.process && claimsOf(context).isHeld(claim.process, claim.at);
}

/** Reads the contents of which parts are missing, oldest first. Their keys are to be wiped. */
export async function incomingContents(context: Context): Promise<readonly IncomingContent[]> {
  return context.store.snapshot(async (view) => {
    const contents: IncomingContent[] = [];
    for (const row of await view.incoming()) {
      const records = await view.receivedParts(row.id, row.allBelow);
      contents.push(new IncomingContent(context, row, await view.contact(row.contact), records));
    }
    return contents;
  });
}

/** An incoming content that was given up, with its key. */
export interface DroppedContent {
  readonly from: string;
  /** What it is called: see {@link nameOf}. */
  readonly what: string;
  /** Of its partial file, which the caller deletes. */
  readonly place: PartialPlace | undefined;
}

/**
 * Gives up the contents whose descriptor came longer ago than a time, except those whose parts another process takes. Their
 * boxes are to be emptied.
 * @param olderThan milliseconds; 30 days by default.
 */
export async function dropOldIncoming(
  context: Context,
  olderThan = TRANSFER_RETENTION,
): Promise<readonly DroppedContent[]> {
  const now = context.now();
  return context.store.transaction(async (transaction) => {
    await correctTimes(transaction, now);
    const dropped: DroppedContent[] = [];
    for (const row of await transaction.incoming()) {
      const { id, contact, receivedAt, descriptor, place } = row;
      if (receivedAt >= now - olderThan || isTakenElsewhere(context, row)) continue;
      await transaction.dropIncoming(id);
      if (await hasRoute(transaction, contact)) await spendBoxOf(transaction, contact, descriptor.key, now);
      const from = (await transaction.contact(contact)).name;
      dropped.push({ from, what: nameOf(descriptor), place });
    }
    return dropped;
  });
}
