import { ed25519 } from '@noble/curves/ed25519.js';
import { encodeContent } from '../../../../src/envelope/index.ts';
import type { ErrorCode } from '../../../../src/errors.ts';
import type { KemCiphertext, SharedSecret, X25519PublicKey } from '../../../../src/primitives/index.ts';
import type { Header } from '../../../../src/ratchet/index.ts';
import { hex } from '../../../primitives/hex.ts';
import type { Named } from '../../bytes.ts';
import { contentOf } from '../../contents.ts';
import type { Bytes } from '../../format.ts';
import { type Cheat, cheated, cheatedOpening, type OpeningCheat } from '../cheating.ts';
import type { Names } from '../names.ts';
import { flipped, mixed, replaced, withoutPrefix } from '../on-the-way.ts';
import { type Mail, NOW, type Person } from '../person.ts';
import { Telling } from '../telling.ts';

const DAY = 86_400_000;
const EXPIRES = NOW / 1_000 + 30 * 86_400;

type Refusal = readonly [as: string, made: string, envelope: Uint8Array | Bytes, code: ErrorCode];

/** What is refused of an opening and of a message, and that nothing comes of it. */
export async function refusals(names: Names): Promise<Telling> {
  const story = new Telling(
    'refusals',
    'An opening, and then a message, that somebody altered on the way or made otherwise than the rules say. Nothing comes of them: the true one is accepted afterwards.',
    { names },
  );
  const alice = story.person('alice');
  const bob = story.person('bob');
  const mallory = story.person('mallory');
  const refuse = async (refused: readonly Refusal[]) => {
    for (const [as, made, envelope, code] of refused) await bob.refuses(story.forge(as, made, envelope), code);
  };

  bob.now -= DAY + 1;
  const invite = await bob.invite('alice', EXPIRES);
  await alice.add('bob', invite);
  const hello = await alice.say('bob', 'hi bob');
  await bob.refuses(hello, 'clock-ahead');
  // A day is as much as the opener's clock may be ahead.
  bob.now += 1;
  await refuse(alteredOpenings(hello));
  await refuse(cheatingOpenings(invite, { alice, bob, mallory }));
  await bob.reads(hello);
  bob.check();

  await alice.reads(await bob.say('alice', 'hi alice'));
  const before = await alice.say('bob', 'the one before');
  await bob.reads(before);
  await refuse(cheatingMessages(alice));
  const true_ = await alice.say('bob', 'the true one');
  await refuse(alteredMessages(true_, before));
  await alice.refuses(true_, 'not-for-you');
  await bob.reads(true_);
  bob.check();
  return story;
}

/** Where the parts of an envelope begin (docs/PROTOCOL.md §4, §7). */
const HEAD = 10;
const CIPHERTEXT = HEAD + 32;
const HINT = CIPHERTEXT + 1088;
const SENDER = HINT + 32;
const PREFIX_END = SENDER + 56;
/** Behind the head, or behind the prefix. */
const TAG = 16;
const SEALED_HEADER = 24 + 2;
const BODY = SEALED_HEADER + 72;

function alteredOpenings(hello: Named): readonly Refusal[] {
  return [
    ['zero', 'The ephemeral key is 0.', replaced(hello, HEAD, new Uint8Array(32)), 'weak-key'],
    ['high bit', 'Bit 255 of the ephemeral key is set.', flipped(hello, HEAD + 31, 0x80), 'weak-key'],
    ['hint', 'A bit of the hint is flipped.', flipped(hello, HINT), 'not-for-you'],
    ['ct', 'A bit of the KEM ciphertext is flipped.', flipped(hello, CIPHERTEXT), 'corrupt'],
    ['sender', 'A bit of the sealed sender is flipped.', flipped(hello, SENDER), 'corrupt'],
    ['first salt', 'A bit of the salt is flipped.', flipped(hello, PREFIX_END), 'corrupt'],
    ['first header', 'A bit of the sealed header is flipped.', flipped(hello, PREFIX_END + SEALED_HEADER), 'corrupt'],
    ['first body', 'A bit of the body is flipped.', flipped(hello, PREFIX_END + BODY), 'corrupt'],
    ['no prefix', 'The prefix is stripped.', withoutPrefix(hello), 'not-for-you'],
  ];
}

function cheatingOpenings(
  invite: Named,
  { alice, bob, mallory }: { alice: Person; bob: Person; mallory: Person },
): readonly Refusal[] {
  const says = (who: Person, cheat: OpeningCheat) =>
    cheatedOpening(who, invite, { sentAt: who.now, text: 'hi bob' }, cheat);
  const posing = { claimed: alice.identity.key, dh1: new Uint8Array(32) as SharedSecret };
  return [
    ['pn', 'Alice puts 1 for pn, and had no chain before.', says(alice, { header: withPn }), 'corrupt'],
    ['dh', 'The ratchet key of alice is of order 8.', says(alice, { header: withWeakKey }), 'weak-key'],
    ['n', 'Alice puts 2,001 for n.', says(alice, { header: withLargeN }), 'gap-too-large'],
    ['answer', 'The chain of alice carries an answer, 1,088 zeros.', says(alice, { header: withAnswer }), 'corrupt'],
    [
      'spoilt',
      'The body of alice does not authenticate, and its digest does.',
      says(alice, { spoilt: true }),
      'corrupt',
    ],
    ['padding', 'The content of alice has a byte other than 0 in its padding.', says(alice, malformed), 'corrupt'],
    ['opened', 'Alice puts 8.64 × 10^15 + 1 for opened.', says(alice, { opened: 8.64e15 + 1 }), 'corrupt'],
    [
      'torsion',
      'Mallory claims to be a point with a torsion part.',
      says(mallory, { ...posing, claimed: TORSION }),
      'weak-key',
    ],
    ['posing', 'Mallory claims to be alice, with 32 zeros for dh1.', says(mallory, posing), 'corrupt'],
    ['self', 'Mallory claims to be bob.', says(mallory, { ...posing, claimed: bob.identity.key }), 'self'],
  ];
}

function cheatingMessages(alice: Person): readonly Refusal[] {
  const says = (cheat: Cheat) => cheated(alice, { sentAt: alice.now, text: 'hi bob' }, cheat);
  return [
    ['dh, later', 'The ratchet key of alice is of order 8.', says({ header: withWeakKey }), 'weak-key'],
    ['padding, later', 'The content of alice has a byte other than 0 in its padding.', says(malformed), 'corrupt'],
  ];
}

function alteredMessages(message: Mail, before: Mail): readonly Refusal[] {
  const { bytes } = message;
  return [
    ['salt', 'A bit of the salt is flipped.', flipped(message, HEAD), 'not-for-you'],
    ['tag', 'A bit of the find tag is flipped.', flipped(message, HEAD + TAG), 'not-for-you'],
    ['header', 'A bit of the sealed header is flipped.', flipped(message, HEAD + SEALED_HEADER), 'corrupt'],
    ['body', 'A bit of the body is flipped.', flipped(message, HEAD + BODY), 'corrupt'],
    ['mixed', 'Its header on the body of the one before.', mixed(message, before), 'corrupt'],
    ['mixed again', 'Its body under the header of the one before.', mixed(before, message), 'corrupt'],
    ['cut', 'The last byte is missing.', [[message.name, 0, bytes.length - 1]], 'corrupt'],
    ['longer', 'A byte follows.', [[message.name, 0, bytes.length], '00'], 'corrupt'],
  ];
}

const withPn = (header: Header): Header => ({ ...header, pn: 1 });
const withLargeN = (header: Header): Header => ({ ...header, n: 2_001 });
const withWeakKey = (header: Header): Header => ({ ...header, dh: ORDER_8 });
const withAnswer = (header: Header): Header => ({
  ...header,
  kem: { kind: 'answer', ciphertext: new Uint8Array(1088) as KemCiphertext },
});

const ORDER_8 = hex('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800') as X25519PublicKey;

/** 7 B and a point of order 8. */
const TORSION = ed25519.Point.BASE.multiply(7n)
  .add(ed25519.Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'))
  .toBytes();

const malformed: Cheat = { plaintext: spoiltPadding() };

function spoiltPadding(): Uint8Array {
  const padded = encodeContent(contentOf({ sentAt: 0, text: 'hi bob' }));
  padded[padded.length - 1] = 1;
  return padded;
}
