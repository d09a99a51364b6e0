/**
 * The outbox: envelopes that are committed and not yet known to be written out (docs/PROTOCOL.md §8).
 * Does not encrypt: writing an entry again is safe, because it is the same message.
 */
import { PawlError } from '../errors.ts';
import type { Context, OutboxId } from './store.ts';

/** An envelope whose process ended before it was known to be written out. */
export interface UnsentEnvelope {
  readonly id: OutboxId;
  readonly to: string;
  /** 16 bytes, the same on both sides. */
  readonly messageId: Uint8Array;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly envelope: Uint8Array;
}

/** Lists the envelopes that no running process writes out, oldest first. */
export async function listOutbox({ store, isRunning }: Context): Promise<readonly UnsentEnvelope[]> {
  return store.snapshot(async (view) => {
    const unsent = (await view.outbox()).filter(({ process }) => !isRunning(process));
    return Promise.all(
      unsent.map(async ({ id, contact, messageId, createdAt, envelope }) => {
        const { name } = await view.contact(contact);
        return { id, to: name, messageId, createdAt, envelope };
      }),
    );
  });
}

/**
 * Returns one envelope of `listOutbox`.
 * @param id its number; without it, all envelopes are returned.
 * @throws `not-in-outbox` when none has that number.
 */
export async function selectFromOutbox(context: Context, id: number | undefined): Promise<readonly UnsentEnvelope[]> {
  const all = await listOutbox(context);
  if (id === undefined) return all;
  const selected = all.filter((one) => one.id === id);
  if (selected.length === 0) throw new PawlError('not-in-outbox', { id });
  return selected;
}
