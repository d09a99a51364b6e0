import { generateKemKey, type KemCiphertext } from '../../../../src/primitives/index.ts';
import type { Header } from '../../../../src/ratchet/index.ts';
import { cheated } from '../cheating.ts';
import type { Names } from '../names.ts';
import { flipped } from '../on-the-way.ts';
import { drawing, Telling } from '../telling.ts';

const DAY = 86_400_000;

/** An exchange of KEM keys, and what is refused of it (docs/PROTOCOL.md §6); and what an older copy of a file sees. */
export async function kem(names: Names, after: Telling): Promise<Telling> {
  const story = new Telling(
    'kem',
    'An exchange that somebody cheats at, first the one who offers, then the one who answers; and what older copies of a file make of messages that were meant for the newer one.',
    { names, after },
  );
  const [alice, bob] = [story.person('alice'), story.person('bob')];
  await bob.reads(await alice.say('bob', 'over to you'));
  const unaware = story.copy(bob, 'copy of bob');
  const early = story.copy(bob, 'second copy of bob');

  bob.now += DAY;
  const due = { sentAt: bob.now, text: 'a day after the last mix' };
  const tooLarge = cheated(bob, due, { header: withLargeCoefficient });
  await alice.refuses(
    story.forge('modulus', 'An offer of bob whose first coefficient is 3,329, which is not below q.', tooLarge),
    'weak-key',
  );
  const unasked = cheated(bob, due, { header: asAnswer });
  await alice.refuses(
    story.forge('unasked', 'A chain of bob with an answer, 1,088 zeros, where nothing was offered.', unasked),
    'fork',
    'answer-without-an-offer',
  );
  const offer = await bob.send('alice', due);
  await alice.refuses(
    story.forge('flipped', 'A bit of the sealed KEM key is flipped.', flipped(offer, 500)),
    'corrupt',
  );
  await alice.reads(offer);
  alice.check();
  const another = { sentAt: bob.now, text: 'the field of a later message does not matter' };
  const bare = cheated(bob, another, { header: withoutField });
  const copy = story.copy(alice, 'copy of alice');
  await copy.reads(story.forge('bare', "Bob's next message of the chain, without the field.", bare, another));

  const reply = { sentAt: alice.now, text: 'an answer' };
  await bob.refuses(
    story.forge(
      'stripped',
      "Alice's chain, whose answer is hidden though its secret is mixed.",
      cheated(alice, reply, { header: withoutField }),
    ),
    'fork',
    'body-does-not-authenticate',
  );
  await bob.refuses(
    story.forge(
      'unanswered',
      "Alice's chain, without the answer that is due.",
      cheated(alice, reply, { header: withoutField, forgetsOffer: true }),
    ),
    'kem-missing',
  );
  await bob.refuses(
    story.forge(
      'offered',
      "Alice's chain, with an offer instead.",
      cheated(alice, reply, { header: asOffer, forgetsOffer: true }),
    ),
    'kem-missing',
  );
  await bob.refuses(
    story.forge(
      'wrong',
      "Alice's chain, with a bit of the answer flipped.",
      cheated(alice, reply, { header: withFlippedAnswer }),
    ),
    'fork',
    'body-does-not-authenticate',
  );
  bob.check();
  const answer = await alice.send('bob', reply);
  await unaware.seesFork(answer, 'answer-to-an-unknown-chain');
  unaware.check();
  await early.say('alice', 'before a day has passed, so without an offer; and nobody reads it');
  await early.seesFork(answer, 'answer-without-an-offer');
  early.check();
  await bob.reads(answer);
  bob.check();
  await alice.reads(await bob.say('alice', 'that was it'));
  return story;
}

function withoutField({ kem: _, ...header }: Header): Header {
  return header;
}

function asAnswer(header: Header): Header {
  return { ...header, kem: { kind: 'answer', ciphertext: new Uint8Array(1088) as KemCiphertext } };
}

function asOffer(header: Header): Header {
  return { ...header, kem: { kind: 'offer', key: generateKemKey(drawing('an offer instead')).encapsulationKey } };
}

/** The first coefficient stands in the first 12 bits, the low 8 in front (FIPS 203 §4.2.1). */
function withLargeCoefficient(header: Header): Header {
  if (header.kem?.kind !== 'offer') throw new Error('no offer');
  const key = Uint8Array.from(header.kem.key);
  key[0] = 3329 & 0xff;
  key[1] = ((key[1] ?? 0) & 0xf0) | (3329 >> 8);
  return { ...header, kem: { kind: 'offer', key } };
}

function withFlippedAnswer(header: Header): Header {
  if (header.kem?.kind !== 'answer') throw new Error('no answer');
  const ciphertext = Uint8Array.from(header.kem.ciphertext) as KemCiphertext;
  ciphertext[0] = (ciphertext[0] ?? 0) ^ 1;
  return { ...header, kem: { kind: 'answer', ciphertext } };
}
