import type { HandshakeStore, StoredInvite } from '../../../src/handshake/index.ts';
import { equal } from '../../../src/primitives/index.ts';
import { mustExist } from '../../../src/storage/transaction.ts';
import { copyOf, type MemoryTransaction } from './data.ts';

export function handshakeStore(transaction: MemoryTransaction): HandshakeStore {
  const inviteOf = (id: Uint8Array) => transaction.data.invites.find((invite) => equal(invite.id, id));
  const openInvite = (id: Uint8Array, isRight: (lastUser: number | undefined) => boolean) => {
    const invite = inviteOf(id);
    return mustExist(invite?.fate.kind === 'open' && isRight(invite.lastUser) ? invite : undefined, 'open invite');
  };
  const replace = (old: StoredInvite, invite: StoredInvite) =>
    transaction.change({ invites: transaction.data.invites.map((known) => (known === old ? invite : known)) });
  const isInLedger = (digest: Uint8Array) =>
    transaction.data.ledger.some(({ prefixDigest }) => equal(prefixDigest, digest));

  return {
    async ownIdentity() {
      return copyOf(transaction.data.record.identity);
    },

    async invite(id) {
      return copyOf(inviteOf(id));
    },

    async invites() {
      return copyOf(transaction.data.invites);
    },

    async addInvite(invite) {
      if (inviteOf(invite.id) !== undefined) throw new Error('the invite is stored already');
      transaction.change({ invites: [...transaction.data.invites, copyOf(invite)] });
    },

    async dropInvite(id) {
      transaction.change({
        invites: transaction.data.invites.filter((invite) => !equal(invite.id, id)),
        ledger: transaction.data.ledger.filter(({ inviteId }) => !equal(inviteId, id)),
      });
    },

    async spendInvite(id, by, at) {
      const open = openInvite(id, (lastUser) => lastUser === undefined);
      replace(open, { ...open, fate: { kind: 'spent', by: copyOf(by), at } });
    },

    async withdrawInvite(id, at) {
      replace(
        openInvite(id, () => true),
        { ...openInvite(id, () => true), fate: { kind: 'withdrawn', at } },
      );
      transaction.change({ ledger: transaction.data.ledger.filter(({ inviteId }) => !equal(inviteId, id)) });
    },

    async useInvite(id, user, prefixDigest) {
      if (isInLedger(prefixDigest)) throw new Error('an opening is let in once');
      const open = openInvite(id, (lastUser) => lastUser !== undefined && lastUser < user);
      replace(open, { ...open, lastUser: user });
      transaction.change({ ledger: [...transaction.data.ledger, copyOf({ prefixDigest, inviteId: id })] });
    },

    async renameInvites(name, newName) {
      const isRenamed = (invite: StoredInvite) =>
        isOpen(invite) && invite.contactName === name && invite.lastUser === undefined;
      const { invites } = transaction.data;
      transaction.change({
        invites: invites.map((invite) => (isRenamed(invite) ? { ...invite, contactName: newName } : invite)),
      });
      return invites.filter(isRenamed).length;
    },

    async lastNumber(name) {
      return transaction.data.numbers.get(name) ?? 0;
    },

    async raiseNumber(name, number) {
      if (number < 1) throw new Error('numbers begin with 1');
      const { numbers } = transaction.data;
      const last = Math.max(number, numbers.get(name) ?? 0);
      transaction.change({ numbers: new Map([...numbers, [name, last]]) });
    },

    async isInLedger(prefixDigest) {
      return isInLedger(prefixDigest);
    },

    async sweepInvites(expiredBefore, forgetBefore) {
      const isOver = (invite: StoredInvite) => isOpen(invite) && invite.expiresAt < wholeSeconds(expiredBefore);
      const count = transaction.data.invites.filter(isOver).length;
      const invites = transaction.data.invites
        .map((invite) => (isOver(invite) ? expire(invite) : invite))
        .filter((invite) => isOpen(invite) || endOf(invite) >= wholeSeconds(forgetBefore));
      const open = invites.filter(isOpen);
      const ledger = transaction.data.ledger.filter(({ inviteId }) => open.some(({ id }) => equal(id, inviteId)));
      transaction.change({ invites, ledger });
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

function endOf({ fate, expiresAt }: StoredInvite): number {
  return 'at' in fate ? fate.at : expiresAt;
}

/** Rounds a time in unix milliseconds down to whole seconds. */
function wholeSeconds(time: number): number {
  return Math.floor(time / 1_000) * 1_000;
}
