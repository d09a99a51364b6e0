/**
 * The boxes of contents in parts that are finished, or given up: what still lies in them is to be removed
 * (docs/PROTOCOL.md §8).
 * Does not reach any place.
 */
import { PART_SIZES } from '../envelope/index.ts';
import { cipherOf, partBox } from '../parts/index.ts';
import { routeOf } from './routes.ts';
import type { ContactId, Context, SpentBox, StoredRoute, Transaction } from './store.ts';

/** For how long it is tried to empty a box, in milliseconds: 30 days, as long as contents are awaited. */
const RETENTION = 30 * 86_400_000;

/** A box that is to be emptied, and by which route it is reached. */
export interface BoxToEmpty extends Pick<StoredRoute, 'route' | 'isTrusted'> {
  /** 16 bytes. */
  readonly box: Uint8Array;
  readonly name: string;
}

/** Notes that a box is to be emptied. */
export async function spendBox(
  transaction: Pick<Transaction, 'addSpentBox' | 'sweepSpentBoxes'>,
  contact: ContactId,
  box: Uint8Array,
  now: number,
): Promise<void> {
  await transaction.sweepSpentBoxes(now - RETENTION);
  await transaction.addSpentBox({ box, contact, spentAt: now });
}

/** The same, for the box of the content of a key. */
export async function spendBoxOf(
  transaction: Pick<Transaction, 'addSpentBox' | 'sweepSpentBoxes'>,
  contact: ContactId,
  key: Uint8Array,
  now: number,
): Promise<void> {
  await spendBox(transaction, contact, boxOfKey(key), now);
}

/** The box of the parts of a content, 16 bytes. @param key of its descriptor, 32 bytes. */
export function boxOfKey(key: Uint8Array): Uint8Array {
  const cipher = cipherOf({ key: key.slice(), partSize: PART_SIZES.usual });
  const box = partBox(cipher.keys);
  cipher.wipe();
  return box;
}

/**
 * Lists the boxes to empty of the contacts that have a route, oldest first.
 * @param only of this contact.
 */
export async function boxesToEmpty({ store }: Pick<Context, 'store'>, only?: string): Promise<readonly BoxToEmpty[]> {
  return store.snapshot((view) => boxesToEmptyIn(view, only));
}

async function boxesToEmptyIn(view: Transaction, only: string | undefined): Promise<readonly BoxToEmpty[]> {
  const spent: readonly SpentBox[] = await view.spentBoxes();
  if (spent.length === 0) return [];
  const routes = await view.routes();
  const boxes: BoxToEmpty[] = [];
  for (const { box, contact } of spent) {
    const stored = routeOf(routes, contact);
    const { name } = await view.contact(contact);
    if (stored === undefined || (only !== undefined && name !== only)) continue;
    boxes.push({ box, name, route: stored.route, isTrusted: stored.isTrusted });
  }
  return boxes;
}

/** Notes that boxes are empty, or hold only what cannot be removed. */
export async function noteEmptied({ store }: Pick<Context, 'store'>, boxes: readonly Uint8Array[]): Promise<void> {
  if (boxes.length === 0) return;
  await store.transaction(async (transaction) => {
    for (const box of boxes) await transaction.dropSpentBox(box);
  });
}
