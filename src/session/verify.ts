import { PawlError } from '../errors.ts';
import { fingerprint, safetyNumber } from '../handshake/index.ts';
import { equal, utf8 } from '../primitives/index.ts';
import { contactCalled } from './contact-called.ts';
import type { Context } from './context.ts';
import { sweep } from './housekeeping.ts';
import type { Contact, Transaction } from './store.ts';

/** What two people compare to know that nobody stands between them (docs/PROTOCOL.md §2). */
export interface Verification {
  readonly name: string;
  readonly fingerprint: string;
  /** 60 digits in 12 groups of 5, the same on both sides. */
  readonly safetyNumber: string;
  /** When it was compared, unix milliseconds. */
  readonly verifiedAt: number | undefined;
}

/** The safety number that we and a contact have. @throws `unknown-contact`. */
export async function verification({ store }: Pick<Context, 'store'>, name: string): Promise<Verification> {
  return store.snapshot(async (view) => verificationOf(view, await contactCalled(view, name)));
}

/**
 * Compares the number that a contact sees on their side, 60 digits, with ours, and marks the contact verified. A number
 * that differs takes the mark away: whatever was compared before, what the contact sees now is not what we have, and to
 * compare once more costs less than to trust the wrong key.
 * @throws `unknown-contact`; `wrong-safety-number`, once that is committed.
 */
export async function verify(context: Context, name: string, digits: string): Promise<Verification> {
  const now = context.now();
  const { before, isRight } = await context.store.transaction(async (transaction) => {
    await sweep(transaction, now);
    const contact = await contactCalled(transaction, name);
    const before = await verificationOf(transaction, contact);
    const isRight = equal(utf8(before.safetyNumber.replaceAll(' ', '')), utf8(digits));
    if (isRight) await transaction.setVerified(contact.id, now);
    else if (before.verifiedAt !== undefined) await transaction.setVerified(contact.id, undefined);
    return { before, isRight };
  });
  if (!isRight) throw new PawlError('wrong-safety-number', { name, wasVerified: before.verifiedAt !== undefined });
  return { ...before, verifiedAt: now };
}

async function verificationOf(view: Transaction, contact: Contact): Promise<Verification> {
  const { name, identity, verifiedAt } = contact;
  const self = await view.ownIdentity();
  return { name, fingerprint: fingerprint(identity), safetyNumber: safetyNumber(self.key, identity), verifiedAt };
}
