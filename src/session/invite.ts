import { PawlError } from '../errors.ts';
import { createInvite, inviteId } from '../handshake/index.ts';
import type { Context } from './context.ts';
import { SECOND, sweep } from './housekeeping.ts';
import { checkName } from './names.ts';

/** Each open invite holds secrets, and each is a way in: a person who needs more than this wants a reusable one. */
const OPEN_INVITES = 64;

/**
 * Makes a one-time invite for the person that we call `name`.
 * @param lifetime in milliseconds. @returns the invite, 1,321 bytes, and its expiry in unix seconds.
 * @throws `bad-name`, `too-many-invites`.
 */
export async function invite(
  context: Context,
  name: string,
  lifetime: number,
): Promise<{ invite: Uint8Array; expires: number }> {
  checkName(name);
  const createdAt = context.now();
  const expires = Math.floor((createdAt + lifetime) / SECOND);
  return context.store.transaction(async (transaction) => {
    await sweep(transaction, createdAt);
    const open = (await transaction.invites()).filter(
      ({ fate, expires }) => fate.kind === 'open' && expires * SECOND > createdAt,
    );
    if (open.length >= OPEN_INVITES) throw new PawlError('too-many-invites', { limit: OPEN_INVITES });

    const self = await transaction.ownIdentity();
    const { invite, secrets } = createInvite(self, { reusable: false, expires }, context.random);
    const id = inviteId(invite.bytes);
    const fate = { kind: 'open', bytes: invite.bytes, secrets } as const;
    await transaction.addInvite({ id, contactName: name, createdAt, expires, fate });
    return { invite: invite.bytes, expires };
  });
}
