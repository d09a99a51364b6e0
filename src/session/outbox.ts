/**
 * The outbox: envelopes that are committed and not yet known to be written out (docs/PROTOCOL.md §8).
 * Does not encrypt: writing an entry again is safe, because it is the same message.
 */
import { PawlError } from '../errors.ts';
import { claimsOf } from './claims.ts';
import type { ContactId, Context, OutboxId } from './store.ts';

/** An envelope whose process ended before it was known to be written out. */
export interface UnsentEnvelope {
  readonly id: OutboxId;
  readonly to: string;
  /** 16 bytes, the same on both sides. */
  readonly messageId: Uint8Array;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** The length of the envelope, in bytes. */
  readonly length: number;
  /** The box for it, 16 bytes, at whatever place the contact is reached. */
  readonly box: Uint8Array | undefined;
}

/** Some envelopes, oldest first, and how many there are before them. */
export interface UnsentEnvelopes {
  readonly envelopes: readonly UnsentEnvelope[];
  readonly older: number;
}

/**
 * Lists the envelopes that no running process writes out, oldest first.
 * @param newest lists only so many, the newest.
 */
export async function listOutbox(context: Context, newest = Infinity): Promise<UnsentEnvelopes> {
  const { isHeld } = claimsOf(context);
  return context.store.snapshot(async (view) => {
    const counts = [...(await view.countOutbox())];
    const running = new Map(counts.filter(([process, { latest }]) => isHeld(process, latest)));
    const beingWritten = sum([...running.values()]);
    const unsent = sum(counts.map(([, counted]) => counted)) - beingWritten;
    const limit = Math.min(newest, unsent);
    // Those that are being written may be the newest of all.
    const listed = limit < unsent ? await view.outbox(limit + beingWritten) : await view.outbox();
    const left = listed.filter(({ process }) => !running.has(process)).slice(-limit);
    const names = new Map<ContactId, string>();
    for (const { contact } of left) if (!names.has(contact)) names.set(contact, (await view.contact(contact)).name);
    return {
      envelopes: left.map(({ id, contact, messageId, createdAt, length, box }) => ({
        id,
        to: names.get(contact) ?? '',
        messageId,
        createdAt,
        length,
        box,
      })),
      older: unsent - left.length,
    };
  });
}

/**
 * Returns one envelope of `listOutbox`.
 * @param id its number; without it, all envelopes are returned.
 * @throws `not-in-outbox` when none has that number.
 */
export async function selectFromOutbox(context: Context, id: number | undefined): Promise<readonly UnsentEnvelope[]> {
  const { envelopes } = await listOutbox(context);
  if (id === undefined) return envelopes;
  const selected = envelopes.filter((one) => one.id === id);
  if (selected.length === 0) throw new PawlError('not-in-outbox', { id });
  return selected;
}

/** Reads an envelope; `undefined` when it has left the outbox in the meantime. */
export async function readEnvelope({ store }: Pick<Context, 'store'>, id: OutboxId): Promise<Uint8Array | undefined> {
  return store.snapshot((view) => view.envelope(id));
}

function sum(counts: readonly { readonly count: number }[]): number {
  return counts.reduce((total, { count }) => total + count, 0);
}
