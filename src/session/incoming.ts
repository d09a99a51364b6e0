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
} from '../parts/index.ts';
import { equal } from '../primitives/index.ts';
import { claimsOf } from './claims.ts';
import { correctTimes, TRANSFER_RETENTION } from './maintenance.ts';
import { type AcceptedMessage, type Announced, noticesOf } from './outcome.ts';
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

/** A content that comes in parts, with its keys. */
export class IncomingContent {
  readonly from: string;
  readonly verified: boolean;
  readonly row: StoredIncoming;
  readonly #context: Context;
  readonly #cipher: PartCipher;
  #log: PartLog;
  /** In the log, and not committed. */
  #unsaved: PartRecord[] = [];
  #place: PartialPlace | undefined;

  constructor(context: Context, row: StoredIncoming, contact: Contact, records: readonly PartRecord[]) {
    this.row = row;
    this.from = contact.name;
    this.verified = contact.verifiedAt !== undefined;
    this.#context = context;
    this.#cipher = cipherOf(row.descriptor);
    this.#log = new PartLog(row.descriptor, records);
    this.#place = row.place;
  }

  get log(): Pick<PartLog, 'firstMissing' | 'count' | 'total' | 'isComplete' | 'bytes'> {
    return this.#log;
  }

  get place(): PartialPlace | undefined {
    return this.#place;
  }

  /** Whether there are parts whose arrival is not committed. */
  get hasUnsaved(): boolean {
    return this.#unsaved.length > 0;
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

  /** Finds a part that is there whose data are others by now. @param read reads the data of a part. */
  findChanged(read: (position: number, length: number) => Uint8Array): PartRecord | undefined {
    const { partSize } = this.row.descriptor;
    for (const record of this.#log.records) {
      if (!isDataOf(record, read(record.index * partSize, record.length))) return record;
    }
    return undefined;
  }

  /** Adds a part whose data are in their place. They must be on the disk before `save`. */
  add(part: OpenedPart): void {
    this.#unsaved.push(this.#log.add(part));
  }

  /**
   * Makes this process the only one that takes parts, and reads what others have taken since the content was read.
   * @throws `taken-elsewhere`.
   */
  async take(): Promise<void> {
    const { id, descriptor } = this.row;
    const { process, store, now } = this.#context;
    await store.transaction(async (transaction) => {
      const row = (await transaction.incoming()).find((one) => one.id === id);
      if (row?.claim?.process === process) return;
      if (row === undefined || isTakenElsewhere(this.#context, row)) {
        throw new PawlError('taken-elsewhere', { what: nameOf(descriptor) });
      }
      await transaction.handOverIncoming(id, row.claim?.process, process, now());
      this.#log = new PartLog(descriptor, await transaction.receivedParts(id));
      this.#unsaved = [];
      this.#place = row.place;
    });
  }

  /** Begins anew in a place: no part is there. */
  async begin(place: PartialPlace | undefined): Promise<void> {
    const { id, descriptor } = this.row;
    await this.#context.store.transaction(async (transaction) => {
      await transaction.dropReceivedParts(id);
      if (place !== undefined) await transaction.setPlace(id, place);
    });
    this.#log = new PartLog(descriptor);
    this.#unsaved = [];
    this.#place = place;
  }

  /**
   * Commits which parts are there. Their data must be on the disk.
   * @param target what the partial file is to be called, where all are there.
   */
  async save(target?: string): Promise<void> {
    const [parts, place] = [this.#unsaved, this.#place];
    if (parts.length === 0 && target === undefined) return;
    const { store, process, now } = this.#context;
    await store.transaction(async (transaction) => {
      await transaction.handOverIncoming(this.row.id, process, process, now());
      await transaction.addReceivedParts(this.row.id, parts);
      if (target !== undefined && place !== undefined) await transaction.setPlace(this.row.id, { ...place, target });
    });
    this.#unsaved = [];
    if (target !== undefined && place !== undefined) this.#place = { ...place, target };
  }

  /** The content is delivered: its key goes, and the history gets name and length. */
  async finish(length: number): Promise<void> {
    const { row } = this;
    await endContent(this.#context, { direction: 'received', row, length }, (transaction) =>
      transaction.dropIncoming(row.id),
    );
  }

  /** Lets other processes take parts. */
  async release(): Promise<void> {
    const { store, process, now } = this.#context;
    await store.transaction((transaction) => transaction.handOverIncoming(this.row.id, process, undefined, now()));
  }

  /** Overwrites the keys in memory. */
  wipe(): void {
    this.#cipher.wipe();
  }
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
      const records = await view.receivedParts(row.id);
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
 * Gives up the contents whose descriptor came longer ago than a time, except those whose parts another process takes.
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
      const from = (await transaction.contact(contact)).name;
      dropped.push({ from, what: nameOf(descriptor), place });
    }
    return dropped;
  });
}
