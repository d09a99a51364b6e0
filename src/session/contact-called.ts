import { PawlError } from '../errors.ts';
import type { Contact, Transaction } from './store.ts';

/** The contact of that name. @throws `unknown-contact`. */
export async function contactCalled(view: Transaction, name: string): Promise<Contact> {
  const contact = await view.contactNamed(name);
  if (contact === undefined) throw new PawlError('unknown-contact', { name });
  return contact;
}
