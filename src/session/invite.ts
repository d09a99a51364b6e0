import { PawlError } from '../errors.ts';
import { createInvite, inviteId } from '../handshake/index.ts';
import type { Context } from './context.ts';
import { SECOND, sweep } from './housekeeping.ts';
import { checkName } from './names.ts';
import { LAST_USER } from './user.ts';

/** Each open invite holds secrets, and each is a way in: a person who needs more than this wants a reusable one. */
const OPEN_INVITES = 64;

export interface MadeInvite {
  /** 16 bytes. */
  readonly id: Uint8Array;
  /** 1,321 bytes. */
  readonly invite: Uint8Array;
  /** Unix seconds. */
  readonly expires: number;
}

/**
 * Makes an invite for the person that we call `name`, or for many whom we call `name-1`, `name-2` … `lifetime`:
 * milliseconds.
 * @throws `bad-name`, `too-many-invites`.
 */
export async function invite(
  context: Context,
  name: string,
  lifetime: number,
  { reusable = false } = {},
): Promise<MadeInvite> {
  checkName(reusable ? `${name}-${LAST_USER}` : name);
  const createdAt = context.now();
  const expires = Math.floor((createdAt + lifetime) / SECOND);
  return context.store.transaction(async (transaction) => {
    await sweep(transaction, createdAt);
    const open = (await transaction.invites()).filter(
      ({ fate, expires }) => fate.kind === 'open' && expires * SECOND > createdAt,
    );
    if (open.length >= OPEN_INVITES) throw new PawlError('too-many-invites', { limit: OPEN_INVITES });

    const self = await transaction.ownIdentity();
    const { invite, secrets } = createInvite(self, { reusable, expires }, context.random);
    const id = inviteId(invite.bytes);
    const fate = { kind: 'open', bytes: invite.bytes, secrets } as const;
    const lastUser = reusable ? 0 : undefined;
    await transaction.addInvite({ id, contactName: name, createdAt, expires, lastUser, fate });
    return { id, invite: invite.bytes, expires };
  });
}

/** Takes back an invite that was never handed out. */
export async function withdrawInvite({ store }: Context, id: Uint8Array): Promise<void> {
  await store.transaction((transaction) => transaction.dropInvite(id));
}
