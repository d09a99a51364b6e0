import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEnvelope, type Envelope, encodeEnvelope } from '../../src/envelope/index.ts';
import { PawlError } from '../../src/errors.ts';
import { hmacSha256 } from '../../src/primitives/index.ts';
import { DAY } from '../../src/session/index.ts';
import { START } from './party.ts';
import { RestorableParty } from './snapshots.ts';

type Mail = Extract<Envelope, { message: unknown }>;

/** What somebody can do who sees every envelope and has no key. */
type Trick =
  | { readonly do: 'flip'; readonly pick: number; readonly bit: number }
  | { readonly do: 'replay'; readonly pick: number }
  /** The header of one message on the body of another. */
  | { readonly do: 'mix'; readonly pick: number; readonly with: number }
  /** The sealed header of one message under the header nonce of another. */
  | { readonly do: 'mix-nonce'; readonly pick: number; readonly with: number }
  | { readonly do: 'strip-prefix'; readonly pick: number }
  /** The prefix of one conversation in front of a message of another. */
  | { readonly do: 'prefix'; readonly pick: number; readonly with: number };

const pick = fc.nat({ max: 1_000 });
const trick: fc.Arbitrary<Trick> = fc.oneof(
  fc.record({ do: fc.constant('flip' as const), pick, bit: fc.nat() }),
  fc.record({ do: fc.constant('replay' as const), pick }),
  fc.record({ do: fc.constant('mix' as const), pick, with: pick }),
  fc.record({ do: fc.constant('mix-nonce' as const), pick, with: pick }),
  fc.record({ do: fc.constant('strip-prefix' as const), pick }),
  fc.record({ do: fc.constant('prefix' as const), pick, with: pick }),
);

function forge(played: Trick, seen: readonly Uint8Array[]): Uint8Array {
  const at = (index: number) => seen[index % seen.length] as Uint8Array;
  const mail = (index: number) => decodeEnvelope(at(index)) as Mail;
  switch (played.do) {
    case 'replay':
      return at(played.pick);
    case 'flip': {
      const bytes = Uint8Array.from(at(played.pick));
      const bit = 80 + (played.bit % ((bytes.length - 10) * 8));
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return bytes;
    }
    case 'mix': {
      const one = mail(played.pick);
      return encodeEnvelope({ ...one, message: { ...one.message, body: mail(played.with).message.body } });
    }
    case 'mix-nonce': {
      const one = mail(played.pick);
      return encodeEnvelope({
        ...one,
        message: { ...one.message, headerNonce: mail(played.with).message.headerNonce },
      });
    }
    case 'strip-prefix':
      return encodeEnvelope({ kind: 'message', message: mail(played.pick).message });
    case 'prefix': {
      const of = mail(played.with);
      if (of.kind !== 'opening') return at(played.pick);
      return encodeEnvelope({ kind: 'opening', prefix: of.prefix, message: mail(played.pick).message });
    }
  }
}

const talk = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('send' as const), from: fc.nat({ max: 1 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('introduce' as const), by: fc.nat({ max: 1 }) }) },
    { weight: 2, arbitrary: fc.constant({ do: 'wait' as const }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('trick' as const), trick, at: fc.nat({ max: 1 }) }) },
  ),
  { minLength: 5, maxLength: 30 },
);

describe('an outsider', () => {
  it('never raises a fork or kem-missing, whatever is done to envelopes of any age; and the conversation goes on', async () => {
    let withKemField = 0;
    await fc.assert(
      fc.asyncProperty(talk, async (events) => {
        const people = [new RestorableParty('alice'), new RestorableParty('bob')] as const;
        const [alice, bob] = people;
        await alice.add('bob', await bob.invite('alice'));
        const seen: Uint8Array[] = [];
        const send = async (from: number) => {
          const [one, two] = from === 0 ? [alice, bob] : [bob, alice];
          one.time += 1_000;
          const sent = await one.send(two.name, `text ${seen.length}`).catch((error) => {
            if (error instanceof PawlError) return undefined;
            throw error;
          });
          if (sent === undefined) return;
          seen.push(sent.envelope);
          // Most arrive at once; the others only by a trick.
          if (seen.length % 4 > 0) await two.read(sent.envelope);
        };
        await send(0);
        for (const event of events) {
          if (event.do === 'send') await send(event.from);
          else if (event.do === 'wait') for (const person of people) person.time += DAY;
          else if (event.do === 'introduce') {
            const [host, guest] = event.by === 0 ? [alice, bob] : [bob, alice];
            await guest.add(host.name, await host.invite(guest.name));
          } else {
            const victim = event.at === 0 ? alice : bob;
            const forged = forge(event.trick, seen);
            const word = await victim.read(forged).catch((error) => {
              if (error instanceof PawlError) return error.code;
              throw error;
            });
            expect(word).not.toMatch(/fork|kem-missing/);
          }
        }
        expect([...(await alice.forks()), ...(await bob.forks())]).toEqual([]);
        await bob.add('alice', await alice.invite('bob'));
        expect(await alice.read((await bob.send('alice', 'on')).envelope)).toBe('on');
        expect(await bob.read((await alice.send('bob', 'and on')).envelope)).toBe('and on');
        const lengths = seen.map((envelope) => (decodeEnvelope(envelope) as Mail).message.sealedHeader.length);
        withKemField += lengths.filter((length) => length > 72).length;
      }),
      { numRuns: Number(process.env.PAWL_RUNS ?? 60) },
    );
    expect(withKemField).toBeGreaterThan(10);
  });
});

describe('two copies of one file that send different texts at one position', () => {
  /** Random bytes that are always the same: the worst source there is. */
  const constant = (length: number) => new Uint8Array(length).fill(7);
  class Stuck extends RestorableParty {
    override get context() {
      return { ...super.context, random: constant };
    }
  }

  it.each([
    ['with a good random source', RestorableParty],
    ['with one that always gives the same', Stuck],
  ] as const)('never share a nonce under one key, %s', async (_, Person) => {
    const alice = new Person('alice');
    const bob = new RestorableParty('bob');
    await alice.add('bob', await bob.invite('alice'));
    const nonces = new Map<string, string>();
    const count = (kind: string, key: string, nonce: Uint8Array, sealed: Uint8Array) => {
      const pair = `${kind} ${key} ${Buffer.from(nonce).toString('hex')}`;
      const ciphertext = Buffer.from(sealed).toString('hex');
      // The same pair for the same ciphertext only: that is the same message.
      expect(nonces.get(pair) ?? ciphertext).toBe(ciphertext);
      nonces.set(pair, ciphertext);
    };
    for (let position = 0; position < 12; position++) {
      const before = alice.copy();
      const clock = alice.time;
      const texts = ['yes', 'no!', 'yes', 'a much longer text than the others', ''];
      const pairs = new Set<string>();
      for (const [copy, text] of texts.entries()) {
        alice.restore(before);
        // The third copy sends the very same as the first; the others may do so at another time.
        alice.time = clock + (copy === 1 ? 1 : 0);
        const { envelope, n } = await alice.send('bob', text);
        const { message } = decodeEnvelope(envelope) as Mail;
        const session = alice.copy().sessions.find(({ state }) => state.sending.kind === 'chain')?.state.sending;
        if (session?.kind !== 'chain') throw new Error('something was sent');
        const chain = Buffer.from(session.self.publicKey).toString('hex');
        count('body', `${chain} ${n}`, message.body.subarray(0, 12), message.body.subarray(12));
        const header = Buffer.from(session.header.header).toString('hex');
        count('header', header, message.headerNonce, message.sealedHeader);
        expect(hmacSha256(session.header.find, message.headerNonce.subarray(0, 16)).subarray(0, 8)).toEqual(
          message.headerNonce.subarray(16),
        );
        pairs.add(Buffer.from(message.body.subarray(0, 12)).toString('hex'));
      }
      expect(pairs.size).toBeGreaterThanOrEqual(4);
      if (position % 4 === 3) {
        expect(await bob.read((await alice.send('bob', 'turn')).envelope)).toBe('turn');
        expect(await alice.read((await bob.send('alice', 'back')).envelope)).toBe('back');
      }
    }
    expect(alice.time).toBeGreaterThanOrEqual(START);
  });
});
