/**
 * Contents that are sent in parts: the descriptor is a message, the parts follow it (docs/PROTOCOL.md §7.1).
 * Does not read files, and does not write envelopes out.
 */
import { type Descriptor, encodeContent, encodeEnvelope, PART_SIZES } from '../envelope/index.ts';
import { PawlError } from '../errors.ts';
import {
  cipherOf,
  FIRST_LINK,
  type Link,
  newContentKey,
  nextLink,
  type PartCipher,
  partBox,
  partDigest,
  partsOf,
} from '../parts/index.ts';
import { equal } from '../primitives/index.ts';
import { claimsOf, claimTime } from './claims.ts';
import { sweep } from './maintenance.ts';
import { type Sent, sealFor } from './send.ts';
import { type ForEach, forEachRecipient, type Recipients } from './several.ts';
import { spendBoxOf } from './spent-boxes.ts';
import type { Context, OutgoingId, SourceFile, StoredOutgoing, Transaction } from './store.ts';
import { endIn } from './transfers.ts';

/** What is to be sent in parts. */
export interface NewOutgoing {
  /** Of a file. */
  readonly name: string | undefined;
  /** In bytes; `undefined` where it is not known. */
  readonly size: number | undefined;
  /** `undefined` for a stream, which cannot be read again. */
  readonly source: SourceFile | undefined;
}

/** An unfinished content that no running process writes out. */
export interface UnsentContent {
  readonly id: OutgoingId;
  readonly to: string;
  readonly messageId: Uint8Array;
  readonly createdAt: number;
  readonly name: string | undefined;
  readonly size: number | undefined;
  /** How many parts are known to be on a disk, or at a place. */
  readonly parts: number;
  /** Whether its message can go along a route: its session has boxes. */
  readonly hasBox: boolean;
  /** How many there will be, if that is known. */
  readonly total: number | undefined;
  /** `undefined`: it cannot be read again. */
  readonly source: SourceFile | undefined;
}

/** A content that this process sends, part after part. */
export class OutgoingContent {
  readonly to: string;
  /** 16 bytes: of the message with the descriptor. */
  readonly id: Uint8Array;
  readonly n: number;
  readonly opening: boolean;
  readonly expiredInvite: number | undefined;
  /** The message with the descriptor. */
  readonly envelope: Uint8Array;
  readonly partSize: number;
  /** Of a file. */
  readonly name: string | undefined;
  readonly size: number | undefined;
  readonly source: SourceFile | undefined;
  /** Its number in the outbox. */
  readonly outgoingId: OutgoingId;
  readonly #context: Context;
  readonly #row: Omit<StoredOutgoing, 'advancedAt' | 'process'>;
  readonly #cipher: PartCipher;
  /** What an earlier command noted: the parts that are kept, and the link behind them. */
  readonly #before: Kept;
  /** Where the parts are put; `undefined`: they are written. */
  readonly #place: string | undefined;
  #parts: number;
  #link: Link;
  #bytes: number;
  #kept: Kept;

  private constructor(
    context: Context,
    row: Omit<StoredOutgoing, 'advancedAt' | 'process'>,
    about: {
      readonly to: string;
      readonly opening: boolean;
      readonly expiredInvite: number | undefined;
      readonly isWhole?: boolean;
      readonly place: string | undefined;
    },
  ) {
    const { descriptor } = row;
    const { parts, link } = about.isWhole ? { parts: 0, link: FIRST_LINK } : row;
    this.outgoingId = row.id;
    this.to = about.to;
    this.opening = about.opening;
    this.expiredInvite = about.expiredInvite;
    this.id = row.messageId;
    this.n = row.n;
    this.envelope = row.envelope;
    this.partSize = descriptor.partSize;
    this.name = descriptor.name;
    this.size = descriptor.size;
    this.source = row.source;
    this.#context = context;
    this.#row = row;
    this.#cipher = cipherOf(descriptor);
    this.#before = { parts: row.parts, link: row.link, partsAt: row.partsAt };
    this.#place = about.place;
    this.#kept = this.#before;
    this.#parts = parts;
    this.#link = link as Link;
    this.#bytes = parts * descriptor.partSize;
  }

  /**
   * Encrypts the descriptor, and commits it with what is needed to go on.
   * @param place where the parts are put, see `placeOf`; without it, they are written.
   * @throws as `sendAll`.
   */
  static async begin(context: Context, to: string, content: NewOutgoing, place?: string): Promise<OutgoingContent> {
    const now = context.now();
    return context.store.transaction(async (transaction) => {
      await sweep(transaction, now);
      return OutgoingContent.#beginIn(context, transaction, content, { to, now, place });
    });
  }

  /**
   * Does the same for several contacts, in one transaction: a content for each, with a key of its own. Each goes to the
   * place of the contact's route, where it is to go by that.
   */
  static beginForEach(
    context: Context,
    recipients: Recipients,
    content: NewOutgoing,
  ): Promise<ForEach<OutgoingContent>> {
    return forEachRecipient(context, recipients, (transaction, { name: to, now, place }) =>
      OutgoingContent.#beginIn(context, transaction, content, { to, now, place }),
    );
  }

  static async #beginIn(
    context: Context,
    transaction: Transaction,
    { name, size, source }: NewOutgoing,
    { to, now, place }: { readonly to: string; readonly now: number; readonly place: string | undefined },
  ): Promise<OutgoingContent> {
    const key = newContentKey(context.random);
    const descriptor: Descriptor = { type: 'descriptor', name, sentAt: now, size, partSize: PART_SIZES.usual, key };
    const plaintexts = [encodeContent(descriptor)];
    const { stored, expiredInvite } = await sealFor(
      context,
      transaction,
      { name: to, plaintexts, now, needsBox: place !== undefined },
      async ({ contact, messageId, n, envelope, opening, box }) => {
        const sealed = { contact: contact.id, messageId, n, envelope, box };
        const row = { ...sealed, descriptor, source, createdAt: now, parts: 0, partsAt: place, link: FIRST_LINK };
        const advancedAt = claimTime(context);
        const id = await transaction.addOutgoing({ ...row, advancedAt, process: context.process });
        return { row: { ...row, id }, opening, to: contact.name };
      },
    );
    const [one] = stored;
    if (one === undefined) throw new Error('one plaintext gives one envelope');
    return new OutgoingContent(context, one.row, { ...one, expiredInvite, place });
  }

  /**
   * Takes up an unfinished content whose process has ended, unless it is too old.
   * @param options.isWhole begins with the first part; else behind those that are noted to be kept, on a disk or at this place.
   * @param options.place where the parts are put, see `placeOf`; without it, they are written.
   * @throws `not-in-outbox`; `cannot-resume`, and drops the content, because its stream is gone.
   */
  static async resume(
    context: Context,
    id: OutgoingId,
    { isWhole = false, place }: { readonly isWhole?: boolean; readonly place?: string | undefined } = {},
  ): Promise<OutgoingContent> {
    const found = await context.store.transaction(async (transaction) => {
      await sweep(transaction, context.now());
      const row = (await transaction.outgoing()).find((one) => one.id === id);
      if (row === undefined || claimsOf(context).isHeld(row.process, row.advancedAt)) return undefined;
      const { name } = await transaction.contact(row.contact);
      if (row.source === undefined) {
        await drop(transaction, row, context.now());
        return { row, to: name };
      }
      // What is in a file here is not at the place, and the other way round.
      const isElsewhere = row.partsAt !== place;
      const kept = place !== undefined && isElsewhere ? { parts: 0, link: FIRST_LINK, partsAt: place } : {};
      const begun = { ...row, ...kept };
      const advancedAt = claimTime(context);
      await transaction.advanceOutgoing(id, { ...begun, process: context.process, advancedAt });
      return { row: begun, to: name, isElsewhere };
    });
    if (found === undefined) throw new PawlError('not-in-outbox', { id });
    if (found.row.source === undefined) throw new PawlError('cannot-resume', { id });
    return new OutgoingContent(context, found.row, {
      to: found.to,
      opening: false,
      expiredInvite: undefined,
      isWhole: isWhole || found.isElsewhere === true,
      place,
    });
  }

  /** The box of its parts, 16 bytes. */
  get partBox(): Uint8Array {
    return partBox(this.#cipher.keys);
  }

  /** How many parts are known to be kept, on a disk or at the place. */
  get kept(): number {
    return this.#kept.parts;
  }

  /** How many parts there will be, if that is known. */
  get total(): number | undefined {
    return this.size === undefined ? undefined : partsOf(this.size, this.partSize);
  }

  /** How many parts are sealed, or passed over. */
  get parts(): number {
    return this.#parts;
  }

  /** The bytes of data in them. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Seals the next part.
   * @param data as many bytes as the part size, or the last ones.
   * @returns its envelope.
   * @throws `source-changed`, where what an earlier command sealed was something else.
   */
  seal(data: Uint8Array, isLast: boolean): Uint8Array {
    const part = { index: this.#parts, isLast, link: this.#link, data };
    const { sealed, digest } = this.#cipher.seal(part, this.#context.random);
    this.#advance(digest, data.length);
    return encodeEnvelope({ kind: 'part', part: sealed });
  }

  /** Passes a part over that the other side has. @throws as {@link seal}. */
  pass(data: Uint8Array, isLast: boolean): void {
    this.#advance(partDigest({ index: this.#parts, isLast, data }), data.length);
  }

  #advance(digest: Uint8Array, bytes: number): void {
    this.#parts += 1;
    this.#link = nextLink(this.#link, digest);
    this.#bytes += bytes;
    const { parts, link } = this.#before;
    if (this.#parts === parts && !equal(this.#link, link)) {
      throw new PawlError('source-changed', { path: this.source?.path ?? '' });
    }
  }

  /**
   * All that was sealed so far is on a disk, or at the place: once that is saved, the next command goes on behind it. What
   * went into a pipe may be lost with the process at its other end.
   */
  keep(): void {
    this.#kept = { parts: this.#parts, link: this.#link, partsAt: this.#place };
  }

  /**
   * Commits what is kept, and that this process writes on.
   * @throws `not-in-outbox` where another one has taken the content over, because this one was silent for too long.
   */
  async save(): Promise<void> {
    const { id } = this.#row;
    const { process, store } = this.#context;
    await store.transaction(async (transaction) => {
      const row = (await transaction.outgoing()).find((one) => one.id === id);
      if (row !== undefined && row.process !== process) throw new PawlError('not-in-outbox', { id });
      await transaction.advanceOutgoing(id, { ...this.#kept, process, advancedAt: claimTime(this.#context) });
    });
  }

  /** All parts are written: the key goes, and the history gets name and length. */
  async finish(): Promise<void> {
    await this.#context.store.transaction((transaction) => this.#finishIn(transaction, this.#context.now()));
  }

  /**
   * All parts are at their place. The same as {@link finish}, and the message with the descriptor goes into the outbox, as any
   * other: it is put last.
   * @returns that message; `undefined` where the contact was forgotten meanwhile, or the content given up.
   */
  async handIn(): Promise<Sent | undefined> {
    const { process, now, store } = this.#context;
    return store.transaction(async (transaction) => {
      if (!(await this.#finishIn(transaction, now()))) return undefined;
      const createdAt = claimTime(this.#context);
      const { id, envelope, n, to, opening, expiredInvite } = this;
      const { contact, box } = this.#row;
      const outboxId = await transaction.addToOutbox({ contact, messageId: id, envelope, process, createdAt, box });
      return { envelope, length: envelope.length, outboxId, to, id, n, opening, box, expiredInvite };
    });
  }

  /** @returns whether the content was there. */
  #finishIn(transaction: Transaction, now: number): Promise<boolean> {
    const row = this.#row;
    const ended = { direction: 'sent', row, length: this.#bytes } as const;
    return endIn(transaction, ended, { now, drop: () => transaction.dropOutgoing(row.id) });
  }

  /** Gives the content up: its source has changed, or is gone. What of it is at a place is to be removed. */
  async abandon(): Promise<void> {
    const { id } = this.#row;
    await this.#context.store.transaction(async (transaction) => {
      const row = (await transaction.outgoing()).find((one) => one.id === id);
      if (row !== undefined) await drop(transaction, row, this.#context.now());
    });
  }

  /** Overwrites the keys in memory. */
  wipe(): void {
    this.#cipher.wipe();
  }
}

/** How many parts are kept, the link behind them, and where they are. */
type Kept = Pick<StoredOutgoing, 'parts' | 'link' | 'partsAt'>;

async function drop(transaction: Transaction, row: StoredOutgoing, now: number): Promise<void> {
  await transaction.dropOutgoing(row.id);
  if (row.partsAt !== undefined) await spendBoxOf(transaction, row.contact, row.descriptor.key, now);
}

/** Lists the contents that no running process writes out, oldest first. */
export async function listUnsent(context: Context): Promise<readonly UnsentContent[]> {
  const { isHeld } = claimsOf(context);
  return context.store.snapshot(async (view) => {
    const unsent: UnsentContent[] = [];
    for (const {
      id,
      contact,
      messageId,
      createdAt,
      process,
      advancedAt,
      descriptor,
      source,
      parts,
      box,
    } of await view.outgoing()) {
      if (isHeld(process, advancedAt)) continue;
      const { name, size, partSize } = descriptor;
      const to = (await view.contact(contact)).name;
      const total = size === undefined ? undefined : partsOf(size, partSize);
      unsent.push({ id, to, messageId, createdAt, name, size, parts, total, source, hasBox: box !== undefined });
    }
    return unsent;
  });
}
