import { describe, expect, it } from 'vitest';
import { decapsulate, generateKeyPair, toHex } from '../../src/primitives/index.ts';
import { LIMITS, nextMessageKey, type RatchetState, wipeState } from '../../src/ratchet/index.ts';
import { converse, EAGER, meet, NOW, type Party, receivingChain, repeatable, sendingChain } from './party.ts';

/** Every byte string of a state, by its path. */
function bytesOf(value: unknown, path = ''): [path: string, bytes: Uint8Array][] {
  if (value instanceof Uint8Array) return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => bytesOf(part, path === '' ? key : `${path}.${key}`));
}

function holds({ state, keeper }: Party, secret: Uint8Array): boolean {
  return bytesOf([state, keeper.skipped, keeper.finished]).some(([, bytes]) => toHex(bytes) === toHex(secret));
}

describe('what is gone from a state', () => {
  it('our old ratchet secret, as soon as a new chain of the peer is known', () => {
    const { alice, bob } = converse();
    bob.read(alice.send('a chain'));
    bob.send('an answer');
    const { secretKey } = structuredClone(sendingChain(bob).self);
    expect(holds(bob, secretKey)).toBe(true);
    alice.read(bob.send('another'));
    bob.read(alice.send('a new chain'));
    expect(bob.state.sending).toEqual({ kind: 'due', remote: sendingChain(alice).self.publicKey, previousN: 2 });
    expect(holds(bob, secretKey)).toBe(false);
  });

  it('the secret of the prekey, with the first message', () => {
    const { alice, bob } = meet();
    const { secretKey } = generateKeyPair(repeatable('prekey'));
    expect(holds(bob, secretKey)).toBe(true);
    bob.read(alice.send('hello'));
    expect(holds(bob, secretKey)).toBe(false);
  });

  it('the key of a message that was sent or read, and the chain and root keys before it', () => {
    const { alice, bob } = converse();
    const before = structuredClone({ alice: alice.state, bob: bob.state });
    bob.read(alice.send('a new chain'));
    const chainKeys = [sendingChain(alice).chainKey, receivingChain(bob).chainKey].map((key) => key.slice());
    const { messageKey } = nextMessageKey(alice.state, repeatable('unused'), NOW);
    bob.read(alice.send('a message'));
    for (const secret of [before.alice.rootKey, before.bob.rootKey, messageKey, ...chainKeys]) {
      expect([holds(alice, secret), holds(bob, secret)]).toEqual([false, false]);
    }
  });

  it('the seed of a KEM key, once its answer was read, and the secret of the answer, at once', () => {
    const { alice, bob } = converse(LIMITS, EAGER);
    const { exchange } = structuredClone(bob.state.rekeying);
    if (exchange.kind !== 'offered') throw new Error('an offer');
    expect(holds(bob, exchange.seed)).toBe(true);
    const { header } = alice.send('an answer, lost');
    if (header.kem?.kind !== 'answer') throw new Error('an answer');
    const secret = decapsulate(exchange.seed, header.kem.ciphertext);
    expect([holds(alice, secret), holds(bob, exchange.seed)]).toEqual([false, true]);
    bob.read(alice.send('the answer'));
    expect([holds(bob, secret), holds(bob, exchange.seed)]).toEqual([false, false]);
  });

  it('the key of a late message, once it was read', () => {
    const { alice, bob } = meet();
    const { messageKey } = nextMessageKey(alice.state, repeatable('unused'), NOW);
    const [first, second] = alice.sendThree();
    bob.read(second);
    expect(holds(bob, messageKey)).toBe(true);
    bob.read(first);
    expect(holds(bob, messageKey)).toBe(false);
  });
});

describe('wiping a state', () => {
  const PUBLIC =
    /^(?:receiving\.remote|sending\.remote|sending\.self\.publicKey|sending\.kem\.key|sending\.kem\.ciphertext|rekeying\.exchange\.key)$/;

  function states(): [kind: string, state: RatchetState][] {
    const fresh = meet();
    const { alice, bob } = converse();
    bob.read(alice.send('a new chain'));
    const exchanging = converse(LIMITS, EAGER);
    const owing = exchanging.alice.copy('copy');
    exchanging.alice.send('an answer');
    return [
      ['of the opener, fresh', fresh.alice.state],
      ['of the one who was opened to, fresh', fresh.bob.state],
      ['with both chains', alice.state],
      ['due to send', bob.state],
      ['that has offered a KEM key', exchanging.bob.state],
      ['that owes an answer', owing.state],
      ['that has answered', exchanging.alice.state],
    ];
  }

  it.each(states())('leaves no secret byte: a state %s', (_kind, state) => {
    const before = bytesOf(structuredClone(state));
    expect(before.every(([, bytes]) => bytes.some((byte) => byte !== 0))).toBe(true);
    wipeState(state);
    const left = bytesOf(state).filter(([, bytes]) => bytes.some((byte) => byte !== 0));
    expect(left).toEqual(before.filter(([path]) => PUBLIC.test(path)));
  });

  it('reaches every kind of key there is', () => {
    const paths = states().flatMap(([, state]) => bytesOf(state).map(([path]) => path));
    expect([...new Set(paths)].filter((path) => !PUBLIC.test(path)).sort()).toEqual([
      'nextReceiving.find',
      'nextReceiving.header',
      'nextSending.find',
      'nextSending.header',
      'receiving.chainKey',
      'receiving.header.find',
      'receiving.header.header',
      'rekeying.exchange.seed',
      'rootKey',
      'sending.chainKey',
      'sending.header.find',
      'sending.header.header',
      'sending.self.secretKey',
    ]);
  });
});
