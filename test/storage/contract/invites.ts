import { expect, it } from 'vitest';
import type { StoredInvite } from '../../../src/handshake/index.ts';
import type { Transaction } from '../../../src/session/store.ts';
import { bytesOf, identityOf, inviteFor, type MakeStore, NOW } from '../fixtures.ts';

export function invites(make: MakeStore): void {
  const fates = async (view: Transaction) =>
    (await view.invites()).map(({ contactName, fate }) => `${contactName}: ${fate.kind}`);

  function withInvites(...given: readonly StoredInvite[]) {
    const { store } = make();
    return async (work: (transaction: Transaction) => Promise<void>) => {
      await store.transaction(async (transaction) => {
        for (const invite of given) await transaction.addInvite(invite);
      });
      await store.transaction(work);
    };
  }

  it('keeps invites with their secrets, oldest first', async () => {
    const [alice, carol] = [inviteFor('alice'), inviteFor('carol')];
    await withInvites(
      carol,
      alice,
    )(async (transaction) => {
      expect(await transaction.invites()).toEqual([carol, alice]);
      expect(await transaction.invite(alice.id)).toEqual(alice);
      expect(await transaction.invite(bytesOf('no invite', 16))).toBeUndefined();
      await expect(transaction.addInvite({ ...carol, id: alice.id })).rejects.toThrow();
    });
  });

  it('forgets the secrets of one that is spent, and keeps by whom', async () => {
    const [alice, carol] = [inviteFor('alice'), inviteFor('carol')];
    await withInvites(
      alice,
      carol,
    )(async (transaction) => {
      const by = identityOf('mallory');
      await transaction.spendInvite(alice.id, by, NOW + 5);
      expect(await transaction.invite(alice.id)).toEqual({ ...alice, fate: { kind: 'spent', by, at: NOW + 5 } });
      expect(await transaction.invite(carol.id)).toEqual(carol);
      await expect(transaction.spendInvite(alice.id, by, NOW)).rejects.toThrow('open invite');
      await expect(transaction.spendInvite(bytesOf('no invite', 16), by, NOW)).rejects.toThrow('open invite');
    });
  });

  it('forgets the secrets of those that expired before a time', async () => {
    const [before, at] = [inviteFor('before', NOW - 1_000), inviteFor('at', NOW)];
    await withInvites(
      before,
      at,
    )(async (transaction) => {
      expect(await transaction.sweepInvites(NOW, 0)).toBe(1);
      expect(await transaction.invites()).toEqual([{ ...before, fate: { kind: 'expired' } }, at]);
    });
  });

  it('forgets all about those that were spent or expired before another time', async () => {
    const given = ['spent before', 'spent at', 'open'].map((name) => inviteFor(name, NOW + 100_000));
    const [before, at] = given.map(({ id }) => id);
    const old = [inviteFor('expired before', NOW - 1_000), inviteFor('expired at', NOW)];
    await withInvites(
      ...given,
      ...old,
    )(async (transaction) => {
      await transaction.spendInvite(before ?? at ?? bytesOf('', 16), identityOf('alice'), NOW - 1);
      await transaction.spendInvite(at ?? bytesOf('', 16), identityOf('alice'), NOW);
      await transaction.sweepInvites(NOW + 1_000, NOW);
      expect(await fates(transaction)).toEqual(['spent at: spent', 'open: open', 'expired at: expired']);
    });
  });

  it('rounds the times of a sweep down to whole seconds', async () => {
    const [spent, expired, open] = ['spent', 'expired', 'open'].map((name) => inviteFor(name)) as [
      StoredInvite,
      StoredInvite,
      StoredInvite,
    ];
    await withInvites(
      spent,
      { ...expired, expiresAt: NOW - 1_000 },
      open,
    )(async (transaction) => {
      await transaction.spendInvite(spent.id, identityOf('alice'), NOW);
      expect(await transaction.sweepInvites(NOW, 0)).toBe(1);
      expect(await transaction.sweepInvites(NOW + 999, NOW - 1)).toBe(0);
      expect(await fates(transaction)).toEqual(['spent: spent', 'expired: expired', 'open: open']);
      expect(await transaction.sweepInvites(NOW + 999, NOW + 999)).toBe(0);
      expect(await fates(transaction)).toEqual(['spent: spent', 'open: open']);
      expect(await transaction.sweepInvites(NOW + 1_000, NOW + 1_000)).toBe(1);
      expect(await fates(transaction)).toEqual([]);
    });
  });

  it('is not changed by a sweep that finds nothing', async () => {
    const alice = inviteFor('alice');
    await withInvites(alice)(async (transaction) => {
      expect(await transaction.sweepInvites(NOW, NOW)).toBe(0);
      expect(await transaction.invites()).toEqual([alice]);
    });
  });

  const reusable = (name: string, expiresAt?: number): StoredInvite => ({ ...inviteFor(name, expiresAt), lastUser: 0 });
  const prefix = (name: string) => bytesOf(`prefix of ${name}`, 16);

  it('counts the users of a reusable one, which stays open, and knows their openings', async () => {
    const [friends, carol] = [reusable('friends'), inviteFor('carol')];
    await withInvites(
      friends,
      carol,
    )(async (transaction) => {
      await transaction.useInvite(friends.id, 1, prefix('alice'));
      await transaction.useInvite(friends.id, 3, prefix('dave'));
      expect(await transaction.invites()).toEqual([{ ...friends, lastUser: 3 }, carol]);
      const known = ['alice', 'dave', 'mallory'].map((name) => transaction.isInLedger(prefix(name)));
      expect(await Promise.all(known)).toEqual([true, true, false]);
      const again = transaction.useInvite(friends.id, 3, prefix('mallory'));
      await expect(again).rejects.toThrow('open invite');
      await expect(transaction.useInvite(carol.id, 1, prefix('mallory'))).rejects.toThrow('open invite');
      await expect(transaction.useInvite(bytesOf('none', 16), 1, prefix('mallory'))).rejects.toThrow('open invite');
      await expect(transaction.spendInvite(friends.id, identityOf('alice'), NOW)).rejects.toThrow('open invite');
      expect(await transaction.isInLedger(prefix('mallory'))).toBe(false);
    });
  });

  it('forgets the secrets and the openings of one that is withdrawn, at once, and for a time not when', async () => {
    const [friends, carol, spent] = [
      reusable('friends', NOW + 9_000),
      inviteFor('carol', NOW + 9_000),
      inviteFor('spent'),
    ];
    await withInvites(
      friends,
      carol,
      spent,
    )(async (transaction) => {
      await transaction.useInvite(friends.id, 1, prefix('alice'));
      await transaction.spendInvite(spent.id, identityOf('alice'), NOW + 9_000);
      for (const { id } of [friends, carol]) await transaction.withdrawInvite(id, NOW + 500);
      expect((await transaction.invites()).slice(0, 2)).toEqual([
        { ...friends, lastUser: 1, fate: { kind: 'withdrawn', at: NOW + 500 } },
        { ...carol, fate: { kind: 'withdrawn', at: NOW + 500 } },
      ]);
      expect(await transaction.isInLedger(prefix('alice'))).toBe(false);
      for (const id of [carol.id, spent.id, bytesOf('none', 16)]) {
        await expect(transaction.withdrawInvite(id, NOW)).rejects.toThrow('open invite');
      }
      await expect(transaction.spendInvite(carol.id, identityOf('alice'), NOW)).rejects.toThrow('open invite');
      await expect(transaction.useInvite(friends.id, 2, prefix('bob'))).rejects.toThrow('open invite');
      // Its expiry is in the future, and says nothing any more.
      expect(await transaction.sweepInvites(NOW + 20_000, NOW)).toBe(0);
      expect(await fates(transaction)).toEqual(['friends: withdrawn', 'carol: withdrawn', 'spent: spent']);
      expect(await transaction.sweepInvites(NOW + 20_000, NOW + 1_000)).toBe(0);
      expect(await fates(transaction)).toEqual(['spent: spent']);
    });
  });

  it('keeps one that was withdrawn before it was put in', async () => {
    const gone: StoredInvite = { ...inviteFor('alice'), fate: { kind: 'withdrawn', at: NOW } };
    await withInvites(gone)(async (transaction) => expect(await transaction.invite(gone.id)).toEqual(gone));
  });

  it('makes the open ones for a name that are used once be for another, and no others', async () => {
    const given = [inviteFor('one'), inviteFor('two'), reusable('three'), inviteFor('four'), inviteFor('five')].map(
      (invite, n) => ({ ...invite, contactName: n === 3 ? 'carol' : 'alice' }),
    );
    await withInvites(...given)(async (transaction) => {
      await transaction.spendInvite(inviteFor('five').id, identityOf('alice'), NOW);
      expect(await transaction.renameInvites('alice', 'alicia')).toBe(2);
      expect(await transaction.renameInvites('alice', 'alicia')).toBe(0);
      const names = (await transaction.invites()).map(({ contactName }) => contactName);
      expect(names).toEqual(['alicia', 'alicia', 'alice', 'carol', 'alice']);
    });
  });

  it('keeps the last number of each name, which only grows, whatever becomes of the invites', async () => {
    await withInvites({ ...reusable('friends'), numbersAfter: 7 })(async (transaction) => {
      expect(await transaction.invites()).toMatchObject([{ numbersAfter: 7 }]);
      expect(await transaction.lastNumber('friends')).toBe(0);
      for (const [number, last] of [
        [3, 3],
        [2, 3],
        [10 ** 15, 10 ** 15],
        [4, 10 ** 15],
      ] as const) {
        await transaction.raiseNumber('friends', number);
        expect(await transaction.lastNumber('friends')).toBe(last);
      }
      await transaction.dropInvite(inviteFor('friends').id);
      expect(await transaction.lastNumber('friends')).toBe(10 ** 15);
      expect(await transaction.lastNumber('friend')).toBe(0);
      await expect(transaction.raiseNumber('friends', 0)).rejects.toThrow();
    });
  });

  it('lets no opening in twice', async () => {
    const { store } = make();
    const [friends, others] = [reusable('friends'), reusable('others')];
    await store.transaction(async (transaction) => {
      for (const invite of [friends, others]) await transaction.addInvite(invite);
      await transaction.useInvite(friends.id, 1, prefix('alice'));
    });
    for (const { id } of [friends, others]) {
      await expect(store.transaction((t) => t.useInvite(id, 2, prefix('alice')))).rejects.toThrow();
    }
  });

  it('forgets the openings of earlier units of work with the secrets', async () => {
    const { store } = make();
    const made = { ...inviteFor('all'), lastUser: 0 };
    await store.transaction((transaction) => transaction.addInvite(made));
    await store.transaction((transaction) => transaction.useInvite(made.id, 1, bytesOf('digest', 16)));
    expect(await store.snapshot((view) => view.isInLedger(bytesOf('digest', 16)))).toBe(true);
    await store.transaction((transaction) => transaction.withdrawInvite(made.id, NOW));
    expect(await store.snapshot((view) => view.isInLedger(bytesOf('digest', 16)))).toBe(false);
    expect((await store.snapshot((view) => view.invites())).map(({ fate }) => fate.kind)).toEqual(['withdrawn']);
  });

  it('forgets the openings with the secrets of their invite, and not before', async () => {
    const [before, at, dropped] = [reusable('before', NOW - 1_000), reusable('at', NOW), reusable('dropped')];
    await withInvites(
      before,
      at,
      dropped,
    )(async (transaction) => {
      for (const { id, contactName } of [before, at, dropped]) await transaction.useInvite(id, 1, prefix(contactName));
      await transaction.dropInvite(dropped.id);
      expect(await transaction.sweepInvites(NOW, 0)).toBe(1);
      expect(await transaction.invites()).toEqual([
        { ...before, lastUser: 1, fate: { kind: 'expired' } },
        { ...at, lastUser: 1 },
      ]);
      const known = ['before', 'at', 'dropped'].map((name) => transaction.isInLedger(prefix(name)));
      expect(await Promise.all(known)).toEqual([false, true, false]);
    });
  });
}
