import { PawlError } from '../errors.ts';
import { contactCalled } from './contact-called.ts';
import type { Context } from './context.ts';
import { sweep } from './housekeeping.ts';
import { checkName } from './names.ts';

/** Gives a contact another name: here only, the other side never knows. @throws `bad-name`, `unknown-contact`, `name-taken`. */
export async function rename(context: Context, name: string, newName: string): Promise<void> {
  checkName(newName);
  await context.store.transaction(async (transaction) => {
    await sweep(transaction, context.now());
    const contact = await contactCalled(transaction, name);
    const named = await transaction.contactNamed(newName);
    if (named !== undefined && named.id !== contact.id) throw new PawlError('name-taken', { name: newName });
    await transaction.renameContact(contact.id, newName);
  });
}
