import { PawlError } from '../errors.ts';
import { fingerprint } from '../handshake/index.ts';
import type { Context } from './context.ts';
import { sweep } from './housekeeping.ts';
import type { Contact, Transaction } from './store.ts';

/** All that goes when a name is forgotten. */
export interface Forgotten {
  /** `undefined` where there is no contact, only invites. */
  readonly contact:
    | {
        readonly fingerprint: string;
        readonly sessions: number;
        /** Texts accepted and not known to be delivered. */
        readonly texts: number;
        /** Envelopes committed and not known to be written. */
        readonly envelopes: number;
        /** Texts that history keeps. */
        readonly history: number;
      }
    | undefined;
  /** Open invites of ours for that name. */
  readonly invites: number;
}

/** What `forget` would forget. @throws `unknown-contact` where there is neither a contact nor an invite of that name. */
export async function forgettable({ store }: Pick<Context, 'store'>, name: string): Promise<Forgotten> {
  return store.snapshot(async (view) => (await find(view, name)).forgotten);
}

/**
 * Forgets a contact with all keys and texts, and withdraws the open invites for that name: nobody comes in under it any
 * more. What became of other invites is kept for its time, and so is the ledger of reusable ones: an opening that was
 * accepted once brings nobody back.
 * @throws `unknown-contact` where there is neither a contact nor an invite of that name.
 */
export async function forget(context: Context, name: string): Promise<Forgotten> {
  return context.store.transaction(async (transaction) => {
    await sweep(transaction, context.now());
    const { contact, inviteIds, forgotten } = await find(transaction, name);
    if (contact !== undefined) await transaction.dropContact(contact.id);
    for (const id of inviteIds) await transaction.dropInvite(id);
    return forgotten;
  });
}

async function find(view: Transaction, name: string) {
  const contact = await view.contactNamed(name);
  const invites = await view.invites();
  const inviteIds = invites.filter((i) => i.contactName === name && i.fate.kind === 'open').map(({ id }) => id);
  if (contact === undefined && inviteIds.length === 0) throw new PawlError('unknown-contact', { name });
  const forgotten: Forgotten = { contact: contact && (await allOf(view, contact)), invites: inviteIds.length };
  return { contact, inviteIds, forgotten };
}

async function allOf(view: Transaction, { id, identity }: Contact): Promise<Forgotten['contact']> {
  const isTheirs = ({ contact }: { contact: Contact['id'] }) => contact === id;
  return {
    fingerprint: fingerprint(identity),
    sessions: (await view.sessions(id)).length,
    texts: (await view.inbox()).filter(isTheirs).length,
    envelopes: (await view.outbox()).filter(isTheirs).length,
    history: (await view.countHistory({ contact: id })).count,
  };
}
