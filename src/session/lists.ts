/**
 * Lists: names for several contacts. A list has the contacts themselves: one that is renamed stays in it, and nobody gets into
 * it with a name that was freed.
 * Sends nothing.
 */
import { PawlError } from '../errors.ts';
import { requireContact } from './contacts.ts';
import { checkName } from './identity.ts';
import type { ContactId, ContactList, Context, Transaction } from './store.ts';

/** A list by the names of its contacts. */
export interface ListReport {
  readonly name: string;
  /** In their order; none where there is no such list any more. */
  readonly contacts: readonly string[];
}

/** Whom something is for, as it is typed. */
export interface Addressee {
  readonly kind: 'contact' | 'list';
  readonly name: string;
}

/** Lists the lists in the order of their names. */
export async function listReports({ store }: Pick<Context, 'store'>): Promise<readonly ListReport[]> {
  return store.snapshot(listsIn);
}

/** Does so within a transaction. */
export async function listsIn(view: Transaction): Promise<readonly ListReport[]> {
  return Promise.all((await view.lists()).map((list) => reportOf(view, list)));
}

/** @throws `unknown-list`. */
export async function listNamed({ store }: Pick<Context, 'store'>, name: string): Promise<ListReport> {
  return store.snapshot(async (view) => reportOf(view, await requireList(view, name)));
}

/** How a list is changed by contacts. */
export type ListChange = 'set' | 'add' | 'remove';

/**
 * Changes a list, or makes it. A contact that is in it already, or is not, is no error.
 * @param names of contacts.
 * @returns the list as it is then.
 * @throws `bad-name`; `unknown-contact`; `unknown-list` where contacts are to be taken out of none.
 */
export async function changeList(
  { store }: Pick<Context, 'store'>,
  name: string,
  { change, names }: { readonly change: ListChange; readonly names: readonly string[] },
): Promise<ListReport> {
  checkName(name);
  return store.transaction(async (transaction) => {
    const given: ContactId[] = [];
    for (const one of names) given.push((await requireContact(transaction, one)).id);
    if (change === 'remove') await requireList(transaction, name);
    const before = (await findList(transaction, name))?.contacts ?? [];
    const contacts = {
      set: given,
      add: [...before, ...given],
      remove: before.filter((id) => !given.includes(id)),
    }[change];
    await transaction.setList(name, contacts);
    return reportOf(transaction, (await findList(transaction, name)) ?? { name, contacts: [] });
  });
}

/** @returns the list as it was. @throws `unknown-list`. */
export async function deleteList({ store }: Pick<Context, 'store'>, name: string): Promise<ListReport> {
  return store.transaction(async (transaction) => {
    const report = await reportOf(transaction, await requireList(transaction, name));
    await transaction.setList(name, []);
    return report;
  });
}

/**
 * Finds out who is meant.
 * @returns the names of the contacts, each once: in the order in which they, or the lists that they are in, come first.
 * @throws `unknown-contact`, `unknown-list`.
 */
export async function namesOf(
  { store }: Pick<Context, 'store'>,
  addressees: readonly Addressee[],
): Promise<readonly string[]> {
  return store.snapshot(async (view) => {
    const names = new Set<string>();
    for (const { kind, name } of addressees) {
      if (kind === 'contact') names.add((await requireContact(view, name)).name);
      else for (const one of (await reportOf(view, await requireList(view, name))).contacts) names.add(one);
    }
    return [...names];
  });
}

async function findList(view: Transaction, name: string): Promise<ContactList | undefined> {
  return (await view.lists()).find((list) => list.name === name);
}

async function requireList(view: Transaction, name: string): Promise<ContactList> {
  const list = await findList(view, name);
  if (list !== undefined) return list;
  const known = (await view.lists()).map((one) => one.name);
  throw new PawlError('unknown-list', { name, known, isContact: (await view.contactNamed(name)) !== undefined });
}

async function reportOf(view: Transaction, { name, contacts }: ContactList): Promise<ListReport> {
  const names: string[] = [];
  for (const id of contacts) names.push((await view.contact(id)).name);
  return { name, contacts: names.sort() };
}
