import type { HandshakeStore, StoredInvite } from '../../../src/handshake/index.ts';
import { equal } from '../../../src/primitives/index.ts';
import { found } from '../../../src/storage/transaction.ts';
import { copyOf, type Unit } from './data.ts';

export function handshakeStore(unit: Unit): HandshakeStore {
  const inviteOf = (id: Uint8Array) => unit.data.invites.find((invite) => equal(invite.id, id));
  const openInvite = (id: Uint8Array, isRight: (lastUser: number | undefined) => boolean) => {
    const invite = inviteOf(id);
    return found(invite?.fate.kind === 'open' && isRight(invite.lastUser) ? invite : undefined, 'open invite');
  };
  const replace = (old: StoredInvite, invite: StoredInvite) =>
    unit.change({ invites: unit.data.invites.map((known) => (known === old ? invite : known)) });
  const isInLedger = (digest: Uint8Array) => unit.data.ledger.some(({ prefixDigest }) => equal(prefixDigest, digest));

  return {
    async ownIdentity() {
      return copyOf(unit.data.record.identity);
    },

    async invite(id) {
      return copyOf(inviteOf(id));
    },

    async invites() {
      return copyOf(unit.data.invites);
    },

    async addInvite(invite) {
      if (inviteOf(invite.id) !== undefined) throw new Error('the invite is stored already');
      unit.change({ invites: [...unit.data.invites, copyOf(invite)] });
    },

    async dropInvite(id) {
      unit.change({
        invites: unit.data.invites.filter((invite) => !equal(invite.id, id)),
        ledger: unit.data.ledger.filter(({ inviteId }) => !equal(inviteId, id)),
      });
    },

    async spendInvite(id, by, at) {
      const open = openInvite(id, (lastUser) => lastUser === undefined);
      replace(open, { ...open, fate: { kind: 'spent', by: copyOf(by), at } });
    },

    async useInvite(id, user, prefixDigest) {
      if (isInLedger(prefixDigest)) throw new Error('an opening is let in once');
      const open = openInvite(id, (lastUser) => lastUser !== undefined && lastUser < user);
      replace(open, { ...open, lastUser: user });
      unit.change({ ledger: [...unit.data.ledger, copyOf({ prefixDigest, inviteId: id })] });
    },

    async isInLedger(prefixDigest) {
      return isInLedger(prefixDigest);
    },

    async sweepInvites(expiredBefore, forgetBefore) {
      const isOver = (invite: StoredInvite) => isOpen(invite) && invite.expires < expiredBefore;
      const count = unit.data.invites.filter(isOver).length;
      const invites = unit.data.invites
        .map((invite) => (isOver(invite) ? expire(invite) : invite))
        .filter((invite) => isOpen(invite) || endOf(invite) >= forgetBefore);
      const open = invites.filter(isOpen);
      const ledger = unit.data.ledger.filter(({ inviteId }) => open.some(({ id }) => equal(id, inviteId)));
      unit.change({ invites, ledger });
      return count;
    },
  };
}

function isOpen(invite: StoredInvite): boolean {
  return invite.fate.kind === 'open';
}

function expire(invite: StoredInvite): StoredInvite {
  return { ...invite, fate: { kind: 'expired' } };
}

/** Unix seconds. */
function endOf({ fate, expires }: StoredInvite): number {
  return fate.kind === 'spent' ? fate.at / 1000 : expires;
}
