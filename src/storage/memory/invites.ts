import type { HandshakeStore, StoredInvite } from '../../handshake/index.ts';
import { equal } from '../../primitives/index.ts';
import { found } from '../found.ts';
import { copyOf, type Unit } from './data.ts';

export function handshakeStore(unit: Unit): HandshakeStore {
  const inviteOf = (id: Uint8Array) => unit.data.invites.find((invite) => equal(invite.id, id));

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
      unit.change({ invites: unit.data.invites.filter((invite) => !equal(invite.id, id)) });
    },

    async spendInvite(id, by, at) {
      const invite = inviteOf(id);
      const open = found(invite?.fate.kind === 'open' ? invite : undefined, 'open invite');
      const spent: StoredInvite = { ...open, fate: { kind: 'spent', by: copyOf(by), at } };
      unit.change({ invites: unit.data.invites.map((known) => (known === open ? spent : known)) });
    },

    async sweepInvites(expiredBefore, forgetBefore) {
      const invites = unit.data.invites
        .map((invite) => (isOpen(invite) && invite.expires < expiredBefore ? expire(invite) : invite))
        .filter((invite) => isOpen(invite) || endOf(invite) >= forgetBefore);
      unit.change({ invites });
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
