import { expect, it } from 'vitest';
import type { StoredInvite } from '../../../src/handshake/index.ts';
import type { Transaction } from '../../../src/session/store.ts';
import { bytesOf, identityOf, inviteFor, type MakeStore, NOW } from '../fixtures.ts';

const SECONDS = NOW / 1000;

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
    const [before, at] = [inviteFor('before', SECONDS - 1), inviteFor('at', SECONDS)];
    await withInvites(
      before,
      at,
    )(async (transaction) => {
      await transaction.sweepInvites(SECONDS, 0);
      expect(await transaction.invites()).toEqual([{ ...before, fate: { kind: 'expired' } }, at]);
    });
  });

  it('forgets all about those that were spent or expired before another time', async () => {
    const given = ['spent before', 'spent at', 'open'].map((name) => inviteFor(name, SECONDS + 100));
    const [before, at] = given.map(({ id }) => id);
    const old = [inviteFor('expired before', SECONDS - 1), inviteFor('expired at', SECONDS)];
    await withInvites(
      ...given,
      ...old,
    )(async (transaction) => {
      await transaction.spendInvite(before ?? at ?? bytesOf('', 16), identityOf('alice'), NOW - 1);
      await transaction.spendInvite(at ?? bytesOf('', 16), identityOf('alice'), NOW);
      await transaction.sweepInvites(SECONDS + 1, SECONDS);
      expect(await fates(transaction)).toEqual(['spent at: spent', 'open: open', 'expired at: expired']);
    });
  });

  it('is not changed by a sweep that finds nothing', async () => {
    const alice = inviteFor('alice');
    await withInvites(alice)(async (transaction) => {
      await transaction.sweepInvites(SECONDS, SECONDS);
      expect(await transaction.invites()).toEqual([alice]);
    });
  });
}
