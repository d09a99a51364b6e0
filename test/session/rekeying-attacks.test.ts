import { describe, expect, it } from 'vitest';
import { encodeEnvelope } from '../../src/envelope/index.ts';
import { generateKemKey } from '../../src/primitives/index.ts';
import type { KemExchange, RatchetState } from '../../src/ratchet/index.ts';
import { DAY } from '../../src/session/index.ts';
import { withCoefficient } from '../primitives/weak-key.ts';
import { expectHealthy, fieldIn, inMemory, mail, ratchets, tell } from './exchanges.ts';
import { seededRandom } from './party.ts';
import type { RestorableParty } from './snapshots.ts';

describe('a peer who breaks the protocol', () => {
  /** Alice has offered a key, and bob owes the answer. */
  async function owing() {
    const { alice, bob } = await inMemory();
    expect(await tell(alice, bob)).toBe('offer');
    return { alice, bob };
  }

  /** The message that `party` sends from a state that is not its own. Its store is as before afterwards. */
  async function possessed(
    party: RestorableParty,
    to: string,
    change: (state: RatchetState) => Partial<RatchetState>,
  ): Promise<Uint8Array> {
    const backup = party.copy();
    await party.store.transaction(async (transaction) => {
      const [contact] = await transaction.contacts();
      const [session] = contact === undefined ? [] : await transaction.sessions(contact.id);
      if (session === undefined) throw new Error('a session');
      const state = await transaction.ratchetState(session.id);
      await transaction.saveSent(session.id, { ...state, ...change(state) });
    });
    const { envelope } = await party.send(to, 'of another mind');
    party.restore(backup);
    return envelope;
  }

  const believing =
    (exchange: KemExchange) =>
    ({ rekeying }: RatchetState) => ({ rekeying: { ...rekeying, exchange } });

  it('and leaves out the answer is refused: kem-missing, and nothing changes', async () => {
    const { alice, bob } = await owing();
    const calm = { mixed: { step: 3, at: bob.time }, exchange: { kind: 'idle' } } as const;
    const envelope = await possessed(bob, 'alice', () => ({ rekeying: calm }));
    expect(fieldIn(envelope)).toBe('none');
    const before = await alice.dump();
    const [outcome] = await alice.receive([envelope]);
    expect(outcome).toMatchObject({ type: 'refused', from: 'bob', error: { code: 'kem-missing' } });
    expect(await alice.dump()).toEqual(before);
    expect(await tell(bob, alice, 'the honest one')).toBe('answer');
    await expectHealthy(alice, bob);
    expect(await alice.forks()).toEqual([]);
  });

  it('and answers what nobody offered is a fork: the mark is all that changes', async () => {
    const { alice, bob } = await inMemory();
    for (const party of [alice, bob]) party.time -= DAY - 1_000;
    await tell(alice, bob);
    const key = generateKemKey(seededRandom('never offered')).encapsulationKey;
    const envelope = await possessed(bob, 'alice', believing({ kind: 'owed', key }));
    expect(fieldIn(envelope)).toBe('answer');
    const before = alice.copy();
    expect(await alice.read(envelope)).toBe('refused: fork');
    expect(await alice.forks()).toEqual(['answer-without-an-offer']);
    const unmarked = (data: typeof before) => ({
      ...data,
      sessions: data.sessions.map((session) => ({ ...session, fork: undefined })),
    });
    expect(unmarked(alice.copy())).toEqual(unmarked(before));
    await tell(bob, alice, 'the honest one');
    await expectHealthy(alice, bob);
  });

  it('and answers with another key’s ciphertext is a fork: the mark is all that changes', async () => {
    const { alice, bob } = await owing();
    const key = generateKemKey(seededRandom('another')).encapsulationKey;
    const envelope = await possessed(bob, 'alice', believing({ kind: 'owed', key }));
    const before = await ratchets(alice);
    expect(await alice.read(envelope)).toBe('refused: fork');
    expect(await alice.forks()).toEqual(['body-does-not-authenticate']);
    expect(await ratchets(alice)).toEqual(before);
    expect(await tell(bob, alice, 'the honest one')).toBe('answer');
    await expectHealthy(alice, bob);
  });

  it('and offers a key that is none is refused: weak-key, and nothing changes', async () => {
    const { alice, bob } = await inMemory();
    const { envelope: offer } = await alice.send('bob', 'an offer');
    const key = withCoefficient(generateKemKey(seededRandom('weak')).encapsulationKey, 5, 3_329);
    const envelope = await possessed(alice, 'bob', ({ sending }) => ({
      sending: { ...sending, kem: { kind: 'offer', key } } as RatchetState['sending'],
    }));
    const before = await bob.dump();
    const [outcome] = await bob.receive([envelope]);
    expect(outcome).toMatchObject({ type: 'refused', from: 'alice', error: { code: 'weak-key' } });
    expect(await bob.dump()).toEqual(before);
    expect(await bob.read(offer)).toBe('an offer');
    await tell(bob, alice, 'an answer');
    await expectHealthy(alice, bob);
  });
});

describe('somebody who sees every envelope and has no key', () => {
  it('can make nothing of an exchange: what was altered is refused as ever, and changes nothing', async () => {
    const { alice, bob } = await inMemory();
    const plain = await bob.send('alice', 'none');
    const offer = await alice.send('bob', 'an offer');
    await alice.read(plain.envelope);
    const random = seededRandom('tampering');
    for (const [sent, to] of [
      [offer.envelope, bob],
      [undefined, alice],
    ] as const) {
      const envelope = sent ?? (await bob.send('alice', 'an answer')).envelope;
      const { kind, message } = mail(envelope);
      const { sealedHeader } = message;
      const other = mail(plain.envelope).message;
      const forged = [
        ...Array.from({ length: 60 }, () => flippedIn(envelope, random)),
        ...[72, 1_160, 1_256].map((length) =>
          encodeEnvelope({ kind: 'message', message: { ...message, sealedHeader: resized(sealedHeader, length) } }),
        ),
        encodeEnvelope({ kind: 'message', message: { ...message, sealedHeader: other.sealedHeader } }),
        encodeEnvelope({ kind: 'message', message: { ...other, sealedHeader } }),
      ].filter((bytes) => !Buffer.from(bytes).equals(envelope));
      expect([kind, forged.length]).toEqual(['message', 64]);
      const before = await to.dump();
      for (const bytes of forged) expect(await to.read(bytes)).toMatch(/^refused: (corrupt|not-for-you)$/);
      expect(await to.dump()).toEqual(before);
      expect(await to.read(envelope)).toMatch(/^an /);
    }
    await expectHealthy(alice, bob);
    expect([...(await alice.forks()), ...(await bob.forks())]).toEqual([]);
  });
});

function flippedIn(envelope: Uint8Array, random: (length: number) => Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(envelope);
  const [high = 0, low = 0, bit = 0] = random(3);
  // Behind head, nonce and the length of the sealed header.
  const at = 36 + ((high * 256 + low) % (bytes.length - 36));
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
  return bytes;
}

function resized(bytes: Uint8Array, length: number): Uint8Array {
  const copy = new Uint8Array(length);
  copy.set(bytes.subarray(0, length));
  return copy;
}
