import { createHmac, hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  concat,
  digest,
  generateKeyPair,
  hmacBlake2b,
  type Random,
  type SharedSecret,
  toHex,
  uint,
  utf8,
  xopen,
} from '../../src/primitives/index.ts';
import { hedgedNonces } from '../../src/ratchet/body.ts';
import {
  type Encrypted,
  encodeHeader,
  encrypt,
  type HeaderKey,
  headerKeysOf,
  isSealedFor,
  type MessageKey,
  nextMessageKey,
  openBody,
  openHeader,
  type RatchetState,
  type RootKey,
  rootStep,
  type SealedMessage,
  sealHeader,
} from '../../src/ratchet/index.ts';
import {
  agreed,
  converse,
  flipped,
  meet,
  NOT_FOUND,
  NOW,
  purely,
  repeatable,
  sendingChain,
  TRANSCRIPT,
} from './party.ts';

const constant: Random = (length) => new Uint8Array(length).fill(7);
const anyHeader = { dh: generateKeyPair(constant).publicKey, n: 0, pn: 1 };
const seal = (state: RatchetState, text: string, random: Random): Encrypted =>
  purely(state, () => encrypt(state, utf8(text), { associatedData: TRANSCRIPT, random, now: NOW }));
const saltOf = ({ message }: Encrypted): string => toHex(message.headerNonce.subarray(0, 16));
const nonceOf = ({ message }: Encrypted): string => Buffer.from(message.body.subarray(0, 12)).toString('hex');

describe('a sealed message', () => {
  it('has a header nonce of 24 bytes, a sealed header of 72, and a body 28 longer than its text', () => {
    const { message } = meet().alice.send('twelve bytes');
    expect(message.headerNonce).toHaveLength(24);
    expect(message.sealedHeader).toHaveLength(72);
    expect(message.body).toHaveLength(12 + 12 + 16);
  });

  it('is put together as the protocol says', () => {
    const { alice } = converse();
    const { state, message, header, id } = seal(alice.state, 'text', repeatable('sealing'));
    const { messageKey } = nextMessageKey(alice.state, repeatable('sealing'), NOW);

    const findKey = createHmac('sha256', state.sending.header.header).update('pawl/1 find').digest();
    const tag = createHmac('sha256', findKey).update(message.headerNonce.subarray(0, 16)).digest().subarray(0, 8);
    expect(Buffer.from(message.headerNonce.subarray(16))).toEqual(tag);

    const clear = xopen(state.sending.header.header, message.headerNonce, message.sealedHeader, TRANSCRIPT);
    expect(clear).toEqual(concat(encodeHeader(header), digest(16, message.body)));
    expect(id).toEqual(digest(16, message.body));
    expect(openBody(messageKey, message.body, concat(TRANSCRIPT, encodeHeader(header)))).toEqual(utf8('text'));
  });

  it('is refused with any one bit flipped, without a trace', () => {
    const { alice, bob } = converse();
    const { message } = alice.send('text');
    const parts = Object.keys(message) as (keyof SealedMessage)[];
    expect(parts).toHaveLength(3);
    for (const part of parts) {
      for (let bit = 0; bit < 8 * message[part].length; bit++) {
        const altered = { ...message, [part]: flipped(message[part], bit) };
        const keys = bob.state.nextReceiving;
        expect(isSealedFor(keys.find, altered), `${part}, bit ${bit}`).toBe(part !== 'headerNonce');
        expect(openHeader(keys, altered, TRANSCRIPT), `${part}, bit ${bit}`).toBeUndefined();
        expect(bob.receive({ message: altered })).toEqual(NOT_FOUND);
      }
    }
    expect(bob.read({ message })).toBe('text');
  });

  it('is refused with any part cut or grown by a byte, or gone', () => {
    const { alice, bob } = converse();
    const { message } = alice.send('text');
    for (const part of ['headerNonce', 'sealedHeader', 'body'] as const) {
      const whole = message[part];
      const wrong = [whole.subarray(1), whole.subarray(0, -1), concat(whole, new Uint8Array(1)), new Uint8Array(0)];
      for (const bytes of wrong) expect(bob.receive({ message: { ...message, [part]: bytes } })).toEqual(NOT_FOUND);
    }
    expect(bob.read({ message })).toBe('text');
  });

  it('cannot lend its header to the body of another', () => {
    const { alice, bob } = converse();
    const [one, two] = alice.sendThree();
    expect(bob.receive({ message: { ...one.message, body: two.message.body } })).toEqual(NOT_FOUND);
    expect([bob.read(two), bob.read(one)]).toEqual(['text 1', 'text 0']);
  });

  it('opens under the transcript of its session only', () => {
    const { alice, bob } = converse();
    const { message } = alice.send('text');
    expect(openHeader(bob.state.nextReceiving, message, TRANSCRIPT)).toBeDefined();
    expect(openHeader(bob.state.nextReceiving, message, flipped(TRANSCRIPT, 0))).toBeUndefined();
    expect(openHeader(bob.state.nextReceiving, message, new Uint8Array(0))).toBeUndefined();
  });
});

describe('header keys', () => {
  it('are those of the handshake in the first chain of each side', () => {
    const { alice, bob } = meet();
    const first = alice.send('hello');
    expect(openHeader(headerKeysOf(agreed().initiatorHeader), first.message, TRANSCRIPT)).toBeDefined();
    bob.read(first);
    const answer = bob.send('an answer');
    expect(openHeader(headerKeysOf(agreed().responderHeader), answer.message, TRANSCRIPT)).toBeDefined();
  });

  it('come from the last 32 of the 96 bytes of a root step, root and chain key from those before', () => {
    const [rootKey, secret] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const okm = Buffer.from(hkdfSync('blake2b512', secret, rootKey, 'pawl/1 root', 96));
    const step = rootStep(rootKey as RootKey, secret as SharedSecret, 'pawl/1 root');
    expect([step.rootKey, step.chainKey, step.nextHeaderKey].map(toHex).join('')).toBe(okm.toString('hex'));
  });

  it('are new in every chain', () => {
    const { alice, bob } = converse();
    const seen = new Set<string>();
    for (let turn = 0; turn < 4; turn++) {
      for (const [from, to] of [
        [alice, bob],
        [bob, alice],
      ] as const) {
        to.read(from.send('on'));
        seen.add(toHex(sendingChain(from).header.header));
      }
    }
    expect(seen.size).toBe(8);
  });
});

describe('the find tag', () => {
  it('is found by the find key of its own chain, and of no other', () => {
    const { alice, bob } = converse();
    const { message } = alice.send('a new chain');
    expect(isSealedFor(bob.state.nextReceiving.find, message)).toBe(true);
    bob.read({ message });
    expect(isSealedFor(bob.state.nextReceiving.find, message)).toBe(false);
    expect(isSealedFor(bob.state.nextSending.find, message)).toBe(false);
    expect(isSealedFor(alice.state.nextReceiving.find, message)).toBe(false);
  });

  it('differs from message to message of one chain', () => {
    const [one, two] = meet().alice.sendThree();
    expect(one.message.headerNonce.subarray(16)).not.toEqual(two.message.headerNonce.subarray(16));
  });

  it('is no proof: a right tag over a header sealed under another key opens nothing', () => {
    const { bob } = converse();
    const { find } = bob.state.nextReceiving;
    const { header } = headerKeysOf(new Uint8Array(32).fill(1) as HeaderKey);
    const forged = sealHeader({ header, find }, anyHeader, new Uint8Array(40), {
      associatedData: TRANSCRIPT,
      salt: repeatable('forged')(16),
    });
    expect(isSealedFor(find, forged.message)).toBe(true);
    expect(bob.receive(forged)).toEqual(NOT_FOUND);
  });
});

describe('the nonces of a message', () => {
  it('are the hedged ones of the protocol, one for the body and one for the header', () => {
    const { alice } = meet();
    const { message, header } = seal(alice.state, 'text', constant);
    const { messageKey } = nextMessageKey(alice.state, constant, NOW);
    const encoded = encodeHeader(header);
    const hashed = concat(utf8('pawl/1 nonces'), constant(32), uint(40, 2), encoded, utf8('text'));
    const hedged = hmacBlake2b(messageKey, hashed);
    expect(message.body.subarray(0, 12)).toEqual(hedged.subarray(0, 12));
    expect(message.headerNonce.subarray(0, 16)).toEqual(hedged.subarray(12, 28));
  });

  it('differ for different texts at one position, even if the random source gives the same bytes for ever', () => {
    const { alice } = converse();
    const running = alice.send('a chain').state;
    fc.assert(
      fc.property(
        fc.constantFrom(alice.state, running),
        fc.uniqueArray(fc.string(), { minLength: 2 }),
        (state, texts) => {
          const sealed = texts.map((text) => seal(state, text, constant));
          expect(new Set(sealed.map(nonceOf)).size).toBe(texts.length);
          expect(new Set(sealed.map(saltOf)).size).toBe(texts.length);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('differ where only the randomness does, as in two copies of a file that send one text', () => {
    const { alice } = meet();
    const [one, two] = ['one', 'two'].map((seed) => seal(alice.state, 'text', repeatable(seed))) as [
      Encrypted,
      Encrypted,
    ];
    expect(nonceOf(one)).not.toBe(nonceOf(two));
    expect(saltOf(one)).not.toBe(saltOf(two));
  });

  it('differ from position to position of one chain, even for one text and one randomness', () => {
    const { alice } = meet();
    const first = seal(alice.state, 'text', constant);
    const second = seal(first.state, 'text', constant);
    expect(nonceOf(first)).not.toBe(nonceOf(second));
    expect(saltOf(first)).not.toBe(saltOf(second));
  });

  it('differ for different headers of one position, wherever the header ends and the text begins', () => {
    const key = repeatable('key')(32) as MessageKey;
    const all = Uint8Array.from({ length: 2_000 }, (_, index) => index);
    const nonces = [40, 40 + 1_088, 40 + 1_184].map((length) => {
      const { nonce, salt } = hedgedNonces(key, constant, all.subarray(0, length), all.subarray(length));
      return toHex(concat(nonce, salt));
    });
    expect(new Set(nonces).size).toBe(3);
  });

  it('and all else is the same for the same text and randomness: sealing is a function', () => {
    const { alice } = converse();
    expect(seal(alice.state, 'text', repeatable('same'))).toEqual(seal(alice.state, 'text', repeatable('same')));
  });
});
