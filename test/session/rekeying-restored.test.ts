import { describe, expect, it } from 'vitest';
import { goOnAfterRestore } from '../../src/session/index.ts';
import { exchange, expectHealthy, fieldIn, inMemory, ratchets, tell } from './exchanges.ts';
import type { Party } from './party.ts';

describe('a file restored from a backup, in the middle of an exchange', () => {
  /** A new invite of either heals, with the handshake's secret and those that follow. */
  async function heal(host: Party, guest: Party): Promise<void> {
    await guest.add(host.name, await host.invite(guest.name));
    await tell(guest, host, 'in a new session');
    await tell(host, guest, 'in it, too');
    await expectHealthy(guest, host);
  }

  it('of the one who offered, to before the answer was read: reads it again and goes on', async () => {
    const { alice, bob } = await inMemory();
    await tell(alice, bob);
    const backup = alice.copy();
    const { envelope } = await bob.send('alice', 'an answer');
    expect(await alice.read(envelope)).toBe('an answer');
    alice.restore(backup);
    await goOnAfterRestore(alice.context);
    await expect(alice.send('bob', 'too soon')).rejects.toThrow('held');
    expect(await alice.read(envelope)).toBe('an answer');
    expect(await exchange(alice)).toBe('idle, mixed by step 4');
    await expectHealthy(alice, bob);
    expect([...(await alice.forks()), ...(await bob.forks())]).toEqual([]);
  });

  it('of the one who offered, who has written since: the peer sees a fork, and a new invite heals', async () => {
    const { alice, bob } = await inMemory();
    await tell(alice, bob);
    const backup = alice.copy();
    const { envelope } = await bob.send('alice', 'an answer');
    expect(await alice.read(envelope)).toBe('an answer');
    await tell(alice, bob, 'after the mix');
    const later = await bob.send('alice', 'and on');
    alice.restore(backup);
    await goOnAfterRestore(alice.context);
    expect(await alice.read(later.envelope)).toBe('refused: not-for-you');
    expect(await alice.read(envelope)).toBe('an answer');
    const { envelope: second } = await alice.send('bob', 'after another mix');
    expect(await bob.read(second)).toBe('refused: fork');
    expect([await alice.forks(), await bob.forks()]).toEqual([[], ['two-texts-at-one-position']]);
    await heal(bob, alice);
  });

  it('of the one who offered, to before the offer: the answer is a fork that tells of oneself, and a new invite heals', async () => {
    const { alice, bob } = await inMemory();
    const backup = alice.copy();
    await tell(alice, bob);
    const { envelope } = await bob.send('alice', 'an answer');
    alice.restore(backup);
    await goOnAfterRestore(alice.context);
    expect(await alice.read(envelope)).toBe('refused: fork');
    expect(await alice.forks()).toEqual(['answer-to-an-unknown-chain']);
    await expect(alice.send('bob', 'nothing')).rejects.toThrow('held');
    await heal(alice, bob);
  });

  it('of the one who owes the answer, who gave it: the peer’s next chain is a fork, and a new invite heals', async () => {
    const { alice, bob } = await inMemory();
    await tell(alice, bob);
    const backup = bob.copy();
    expect(await tell(bob, alice)).toBe('answer');
    const { envelope } = await alice.send('bob', 'after the mix');
    bob.restore(backup);
    await goOnAfterRestore(bob.context);
    expect(await exchange(bob)).toBe('owed, mixed by step 0');
    await expect(bob.send('alice', 'another answer')).rejects.toThrow('held');
    expect(await bob.read(envelope)).toBe('refused: fork');
    expect(await bob.forks()).toEqual(['answer-to-an-unknown-chain']);
    expect(await exchange(bob)).toBe('owed, mixed by step 0');
    await heal(alice, bob);
  });

  it('of the one who owes the answer, to before the offer: reads it again, but does not answer twice', async () => {
    const { alice, bob } = await inMemory();
    const backup = bob.copy();
    const { envelope } = await alice.send('bob', 'an offer');
    expect(await bob.read(envelope)).toBe('an offer');
    bob.restore(backup);
    await goOnAfterRestore(bob.context);
    expect(await bob.read(envelope)).toBe('an offer');
    expect(await tell(bob, alice)).toBe('answer');
    await expectHealthy(alice, bob);
    expect([...(await alice.forks()), ...(await bob.forks())]).toEqual([]);
  });

  describe('and used as if nothing had happened', () => {
    it('answers once more: whichever answer comes second is a fork for the peer', async () => {
      for (const firstComesFirst of [true, false]) {
        const { alice, bob } = await inMemory();
        await tell(alice, bob);
        const backup = bob.copy();
        const first = await bob.send('alice', 'an answer');
        bob.restore(backup);
        bob.time += 1;
        const second = await bob.send('alice', 'another answer');
        const [read, refused] = firstComesFirst ? [first, second] : [second, first];
        expect(await alice.read(read.envelope)).toMatch(/answer$/);
        const before = await ratchets(alice);
        expect(await alice.read(refused.envelope)).toBe('refused: fork');
        expect(await ratchets(alice)).toEqual(before);
        expect(await alice.forks()).toEqual(['two-texts-at-one-position']);
        await heal(alice, bob);
      }
    });

    it('offers once more: the answer to the first offer is a fork that tells of oneself', async () => {
      const { alice, bob } = await inMemory();
      const backup = alice.copy();
      await tell(alice, bob);
      const { envelope } = await bob.send('alice', 'an answer');
      alice.restore(backup);
      expect(fieldIn((await alice.send('bob', 'another offer')).envelope)).toBe('offer');
      const before = await ratchets(alice);
      expect(await alice.read(envelope)).toBe('refused: fork');
      expect(await alice.forks()).toEqual(['body-does-not-authenticate']);
      expect(await ratchets(alice)).toEqual(before);
      await heal(bob, alice);
    });
  });
});
