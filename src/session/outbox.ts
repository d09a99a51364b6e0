import { PawlError } from '../errors.ts';
import type { Context, OutboxId } from './store.ts';

/** An envelope that was committed, and whose process ended before it was known to be written. */
export interface Unwritten {
  readonly id: OutboxId;
  readonly to: string;
  /** 16 bytes, the same on both sides. */
  readonly messageId: Uint8Array;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly envelope: Uint8Array;
}

/** The envelopes that nobody writes any more, oldest first. To write one again is safe: it is the same message. */
export async function unwritten({ store, isRunning }: Context): Promise<readonly Unwritten[]> {
  return store.snapshot(async (view) => {
    const left = (await view.outbox()).filter(({ process }) => !isRunning(process));
    return Promise.all(
      left.map(async ({ id, contact, messageId, createdAt, envelope }) => {
        const { name } = await view.contact(contact);
        return { id, to: name, messageId, createdAt, envelope };
      }),
    );
  });
}

/** The one of them with that number, or all where none is given. @throws `not-in-outbox`. */
export async function unwrittenAs(context: Context, id: number | undefined): Promise<readonly Unwritten[]> {
  const all = await unwritten(context);
  if (id === undefined) return all;
  const found = all.filter((one) => one.id === id);
  if (found.length === 0) throw new PawlError('not-in-outbox', { id });
  return found;
}
