/**
 * Contents that come in parts: which are there, and who takes them (docs/PROTOCOL.md §7.1).
 * Does not know where the data of the parts are put.
 */
import type { Descriptor, SealedPart } from '../envelope/index.ts';
import { PawlError } from '../errors.ts';
import {
  deriveKeys,
  isDataOf,
  isOf,
  type OpenedPart,
  PartCipher,
  type PartKeys,
  PartLog,
  type PartRecord,
  type PartVerdict,
  wipeKeys,
} from '../parts/index.ts';
import { equal } from '../primitives/index.ts';
import { claimsOf } from './claims.ts';
import { correctTimes, sweep, TRANSFER_RETENTION } from './maintenance.ts';
import { type AcceptedMessage, type Announced, noticesOf } from './outcome.ts';
import { historyContent } from './outgoing.ts';
import type { Contact, Context, PartialPlace, StoredIncoming, Transaction } from './store.ts';

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
  readonly #keys: PartKeys;
  #cipher: PartCipher | undefined;
  #log: PartLog;
  /** Those that earlier commands have put in their place: what is there now was not looked at. */
  #unseen: Map<number, PartRecord>;
  /** In the log, and not committed. */
  #unsaved: PartRecord[] = [];
  #place: PartialPlace | undefined;

  constructor(context: Context, row: StoredIncoming, contact: Contact, records: readonly PartRecord[]) {
    this.row = row;
    this.from = contact.name;
    this.verified = contact.verifiedAt !== undefined;
    this.#context = context;
    this.#keys = deriveKeys(row.descriptor.key);
    this.#log = new PartLog(row.descriptor, records);
    this.#unseen = byIndex(records);
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
    return isOf(this.#keys, part);
  }

  /**
   * Opens a part, and compares it with those that are there.
   * @throws `corrupt`, `parts-contradict`, `part-too-far`.
   */
  open(part: SealedPart): { readonly part: OpenedPart; readonly verdict: PartVerdict } {
    this.#cipher ??= new PartCipher(this.#keys, this.row.descriptor.partSize);
    const opened = this.#cipher.open(part);
    return { part: opened, verdict: this.#log.check(opened) };
  }

  /** Lets go of the buffers, until the next part comes. */
  rest(): void {
    this.#cipher?.wipe();
    this.#cipher = undefined;
  }

  /**
   * Whether the data of a part that is there have to be put in their place anew: an earlier command has put them there, and
   * they are others by now. Looks once.
   */
  isChanged(index: number, read: ReadData): boolean {
    const record = this.#unseen.get(index);
    this.#unseen.delete(index);
    return record !== undefined && !this.#isAsItWas(record, read);
  }

  /**
   * Compares what earlier commands have put in its place with what they noted, and forgets the parts whose data are others
   * by now: they are missing again.
   * @returns how many.
   */
  async dropChanged(read: ReadData): Promise<number> {
    const changed = new Set<number>();
    for (const record of this.#unseen.values()) if (!this.#isAsItWas(record, read)) changed.add(record.index);
    this.#unseen.clear();
    if (changed.size === 0) return 0;
    const left = [...this.#log.records].filter(({ index }) => !changed.has(index));
    const { id, descriptor } = this.row;
    const place = this.#place;
    await this.#context.store.transaction(async (transaction) => {
      await this.#refuseTaken(transaction);
      await transaction.dropReceivedParts(id);
      if (place !== undefined) await transaction.setPlace(id, place);
      await transaction.addReceivedParts(id, left);
    });
    this.#log = new PartLog(descriptor, left);
    this.#unsaved = [];
    return changed.size;
  }

  #isAsItWas(record: PartRecord, read: ReadData): boolean {
    return isDataOf(record, read(record.index * this.row.descriptor.partSize, record.length));
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
      const records = await transaction.receivedParts(id);
      this.#log = new PartLog(descriptor, records);
      this.#unseen = byIndex(records);
      this.#unsaved = [];
      this.#place = row.place;
    });
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
    this.#unseen.clear();
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
      await transaction.addReceivedParts(this.row.id, parts);
      if (target !== undefined && place !== undefined) await transaction.setPlace(this.row.id, { ...place, target });
    });
    this.#unsaved = [];
    if (target !== undefined && place !== undefined) this.#place = { ...place, target };
  }

  /** Renews the claim; refuses where another process took the content because this one was silent for too long. */
  async #refuseTaken(transaction: Transaction): Promise<void> {
    const { id, descriptor } = this.row;
    const { process, now } = this.#context;
    if (await transaction.handOverIncoming(id, process, process, now())) return;
    // What is gone, with a contact that was forgotten, nobody takes.
    if ((await transaction.incoming()).every((one) => one.id !== id)) return;
    throw new PawlError('taken-elsewhere', { what: nameOf(descriptor) });
  }

  /** The content is delivered: its key goes, and the history gets name and length. */
  async finish(length: number): Promise<void> {
    const { id, contact, messageId, n, descriptor } = this.row;
    const { store, now } = this.#context;
    await store.transaction(async (transaction) => {
      const at = now();
      const { historySetting } = await sweep(transaction, at);
      const isThere = (await transaction.incoming()).some((one) => one.id === id);
      await transaction.dropIncoming(id);
      if (historySetting === undefined || !isThere) return;
      await transaction.addToHistory({
        contact,
        direction: 'received',
        messageId,
        n,
        at,
        sentAt: descriptor.sentAt,
        content: historyContent(descriptor.name, length),
      });
    });
  }

  /** Lets other processes take parts. */
  async release(): Promise<void> {
    const { store, process, now } = this.#context;
    await store.transaction((transaction) => transaction.handOverIncoming(this.row.id, process, undefined, now()));
  }

  /** Overwrites the keys in memory. */
  wipe(): void {
    this.#cipher?.wipe();
    wipeKeys(this.#keys);
  }
}

function byIndex(records: readonly PartRecord[]): Map<number, PartRecord> {
  return new Map(records.map((record) => [record.index, record]));
}

/** Whether another process takes the parts, and runs, or may run. */
function isTakenElsewhere(context: Context, { claim }: StoredIncoming): boolean {
  return claim !== undefined && claim.process !== context.process && claimsOf(context).isHeld(claim.process, claim.at);
}

/** What a content is called where it is told of: its name, or that it has none. */
export function nameOf({ name }: Pick<Descriptor, 'name'>): string {
  return name ?? 'a stream';
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
