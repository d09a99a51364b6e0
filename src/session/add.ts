import { PawlError } from '../errors.ts';
import { fingerprint, inviteId, readInvite } from '../handshake/index.ts';
import { equal } from '../primitives/index.ts';
import type { Context } from './context.ts';
import { SECOND, sweep } from './housekeeping.ts';
import { checkName } from './names.ts';

export interface Added {
  /** The name the contact goes by: their own where the identity was known already. */
  readonly name: string;
  readonly fingerprint: string;
  readonly isNew: boolean;
  /** The invite was used for a session already, and only once can it be: nothing was changed. */
  readonly answeredBefore: boolean;
}

/**
 * Keeps an invite under `name`: the next message to that contact opens a session with it.
 * @param inviteBytes 1,321 bytes.
 * @throws what `readInvite` throws, `bad-name`, `self`, `invite-expired`, `identity-changed`.
 */
export async function add(context: Context, name: string, inviteBytes: Uint8Array): Promise<Added> {
  checkName(name);
  const invite = readInvite(inviteBytes);
  const now = context.now();
  if (invite.expires * SECOND <= now) throw new PawlError('invite-expired', { expired: invite.expires });
  const offered = fingerprint(invite.identity);

  return context.store.transaction(async (transaction) => {
    await sweep(transaction, now);
    const self = await transaction.ownIdentity();
    if (equal(self.key, invite.identity)) throw new PawlError('self', { what: 'invite' });

    const known = await transaction.contactOf(invite.identity);
    if (known === undefined) {
      const named = await transaction.contactNamed(name);
      if (named !== undefined) {
        throw new PawlError('identity-changed', { name, known: fingerprint(named.identity), offered });
      }
      await transaction.addContact({
        name,
        identity: invite.identity,
        addedAt: now,
        invite: { bytes: inviteBytes, addedAt: now },
      });
      return { name, fingerprint: offered, isNew: true, answeredBefore: false };
    }
    const sessions = await transaction.sessions(known.id);
    const id = inviteId(inviteBytes);
    const answeredBefore =
      !invite.reusable && sessions.some(({ origin }) => origin.role === 'initiator' && equal(origin.inviteId, id));
    if (!answeredBefore) await transaction.setContactInvite(known.id, { bytes: inviteBytes, addedAt: now });
    return { name: known.name, fingerprint: offered, isNew: false, answeredBefore };
  });
}
