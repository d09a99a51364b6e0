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
  partDigest,
  partsOf,
} from '../parts/index.ts';
import { equal } from '../primitives/index.ts';
import { claimsOf } from './claims.ts';
import { sweep } from './maintenance.ts';
import { sealFor } from './send.ts';
import type { Context, OutgoingId, SourceFile, StoredOutgoing } from './store.ts';
import { endContent } from './transfers.ts';

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
  /** How many parts are known to be on a disk. */
  readonly parts: number;
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
  readonly size: number | undefined;
  readonly source: SourceFile | undefined;
  readonly #context: Context;
  readonly #row: Pick<StoredOutgoing, 'id' | 'contact' | 'messageId' | 'n' | 'descriptor'>;
  readonly #cipher: PartCipher;
  /** What an earlier command noted: the parts that are on a disk, and the link behind them. */
  readonly #before: Pick<StoredOutgoing, 'parts' | 'link'>;
  #parts: number;
  #link: Link;
  #bytes: number;
  #saved: Pick<StoredOutgoing, 'parts' | 'link'>;

  private constructor(
    context: Context,
    row: Omit<StoredOutgoing, 'createdAt' | 'advancedAt' | 'process'>,
    about: {
      readonly to: string;
      readonly opening: boolean;
      readonly expiredInvite: number | undefined;
      readonly isWhole?: boolean;
    },
  ) {
    const { descriptor } = row;
    const { parts, link } = about.isWhole ? { parts: 0, link: FIRST_LINK } : row;
    this.to = about.to;
    this.opening = about.opening;
    this.expiredInvite = about.expiredInvite;
    this.id = row.messageId;
    this.n = row.n;
    this.envelope = row.envelope;
    this.partSize = descriptor.partSize;
    this.size = descriptor.size;
    this.source = row.source;
    this.#context = context;
    this.#row = row;
    this.#cipher = cipherOf(descriptor);
    this.#before = { parts: row.parts, link: row.link };
    this.#saved = this.#before;
    this.#parts = parts;
    this.#link = link as Link;
    this.#bytes = parts * descriptor.partSize;
  }

  /**
   * Encrypts the descriptor, and commits it with what is needed to go on.
   * @throws as `sendAll`.
   */
  static async begin(context: Context, to: string, { name, size, source }: NewOutgoing): Promise<OutgoingContent> {
    const now = context.now();
    const key = newContentKey(context.random);
    const descriptor: Descriptor = { type: 'descriptor', name, sentAt: now, size, partSize: PART_SIZES.usual, key };
    const plaintexts = [encodeContent(descriptor)];
    return context.store.transaction(async (transaction) => {
      await sweep(transaction, now);
      const { stored, expiredInvite } = await sealFor(
        context,
        transaction,
        { name: to, plaintexts, now },
        async ({ contact, messageId, n, envelope, opening, box }) => {
          const sealed = { contact: contact.id, messageId, n, envelope, box };
          const row = { ...sealed, descriptor, source, parts: 0, link: FIRST_LINK };
          const id = await transaction.addOutgoing({
            ...row,
            createdAt: now,
            advancedAt: now,
            process: context.process,
          });
          return { row: { ...row, id }, opening, to: contact.name };
        },
      );
      const [one] = stored;
      if (one === undefined) throw new Error('one plaintext gives one envelope');
      return new OutgoingContent(context, one.row, { ...one, expiredInvite });
    });
  }

  /**
   * Takes up an unfinished content whose process has ended, unless it is too old.
   * @param options.isWhole begins with the first part; else behind those that are noted to be on a disk.
   * @throws `not-in-outbox`; `cannot-resume`, and drops the content, because its stream is gone.
   */
  static async resume(
    context: Context,
    id: OutgoingId,
    { isWhole = false }: { readonly isWhole?: boolean } = {},
  ): Promise<OutgoingContent> {
    const found = await context.store.transaction(async (transaction) => {
      await sweep(transaction, context.now());
      const row = (await transaction.outgoing()).find((one) => one.id === id);
      if (row === undefined || claimsOf(context).isHeld(row.process, row.advancedAt)) return undefined;
      if (row.source === undefined) await transaction.dropOutgoing(id);
      else await transaction.advanceOutgoing(id, { ...row, process: context.process, advancedAt: context.now() });
      return { row, to: (await transaction.contact(row.contact)).name };
    });
    if (found === undefined) throw new PawlError('not-in-outbox', { id });
    if (found.row.source === undefined) throw new PawlError('cannot-resume', { id });
    return new OutgoingContent(context, found.row, {
      to: found.to,
      opening: false,
      expiredInvite: undefined,
      isWhole,
    });
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
   * Commits that this process writes on.
   * @param isOnDisk whether all that was sealed is there: then the next command goes on behind it. What went into a pipe may
   * be lost with the process at its other end.
   */
  async save(isOnDisk: boolean): Promise<void> {
    const { process, now } = this.#context;
    if (isOnDisk) this.#saved = { parts: this.#parts, link: this.#link };
    const state = { ...this.#saved, process, advancedAt: now() };
    await this.#context.store.transaction((transaction) => transaction.advanceOutgoing(this.#row.id, state));
  }

  /** All parts are written: the key goes, and the history gets name and length. */
  async finish(): Promise<void> {
    const ended = { direction: 'sent', row: this.#row, length: this.#bytes } as const;
    await endContent(this.#context, ended, (transaction) => transaction.dropOutgoing(this.#row.id));
  }

  /** Gives the content up: its source has changed, or is gone. */
  async abandon(): Promise<void> {
    await this.#context.store.transaction((transaction) => transaction.dropOutgoing(this.#row.id));
  }

  /** Overwrites the keys in memory. */
  wipe(): void {
    this.#cipher.wipe();
  }
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
    } of await view.outgoing()) {
      if (isHeld(process, advancedAt)) continue;
      const { name, size, partSize } = descriptor;
      const to = (await view.contact(contact)).name;
      const total = size === undefined ? undefined : partsOf(size, partSize);
      unsent.push({ id, to, messageId, createdAt, name, size, parts, total, source });
    }
    return unsent;
  });
}
