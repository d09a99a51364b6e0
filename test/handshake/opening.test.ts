import { describe, expect, it } from 'vitest';
import { PawlError } from '../../src/errors.ts';
import {
  type AnsweredInvite,
  acceptOpening,
  hintedInvite,
  inviteBox,
  inviteId,
  LATEST_TIME,
  type OwnIdentity,
  openSession,
  PREFIX_LENGTH,
} from '../../src/handshake/index.ts';
import { concat, type SharedSecret, toHex } from '../../src/primitives/index.ts';
import { initiatorState, responderState } from '../../src/ratchet/index.ts';
import { hex } from '../primitives/hex.ts';
import { flipped, NOW, Party, refusal, repeatable } from '../ratchet/party.ts';
import { alice, bob, inviteOf, mallory, OPENED } from './people.ts';
import { dh1Of, spelledOut } from './spelled-out.ts';

const { invite, answered } = inviteOf(bob);
const open = (self: OwnIdentity, opened = OPENED, seed = 'opening') =>
  openSession(self, invite, opened, repeatable(seed));
const { prefix, agreement } = open(alice);
const accept = (bytes: Uint8Array, self = bob, using: AnsweredInvite = answered) => acceptOpening(self, bytes, using);

describe('an opening', () => {
  it('is 1,208 bytes, and names its invite to the one who made it', () => {
    expect(prefix).toHaveLength(1208);
    expect(PREFIX_LENGTH).toBe(1208);
    expect(hintedInvite(bob, prefix)).toEqual(inviteId(invite.bytes));
  });

  it('gives both sides one agreement, and the acceptor the opener’s identity', () => {
    expect(accept(prefix)).toEqual({ sender: alice.key, agreement });
    expect(agreement.opened).toBe(OPENED);
    const keys = [agreement.transcript, agreement.rootKey, agreement.initiatorHeader, agreement.responderHeader];
    for (const key of keys) expect(key).toHaveLength(32);
    expect(new Set(keys.map(toHex)).size).toBe(4);
    const boxes = [agreement.initiatorBox, agreement.responderBox, inviteBox(invite.bytes)];
    for (const box of boxes) expect(box).toHaveLength(16);
    expect(new Set(boxes.map(toHex)).size).toBe(3);
  });

  it('is what the protocol spells out', () => {
    const parts = { invite, claimed: alice.key, dh1: dh1Of(alice, invite), opened: OPENED };
    expect(spelledOut({ ...parts, random: repeatable('opening') })).toEqual({ prefix, agreement });
  });

  it('begins a ratchet on either side', () => {
    const party = (state: Party['state'], seed: string) => new Party(state, repeatable(seed));
    const opener = party(
      initiatorState(agreement, invite.prekey, { random: repeatable('ratchet'), now: NOW }),
      'alice',
    );
    const acceptor = party(responderState(accept(prefix).agreement, answered.secrets.prekey, NOW), 'bob');
    expect(acceptor.read(opener.send('hello'))).toBe('hello');
    expect(opener.read(acceptor.send('hello, alice'))).toBe('hello, alice');
  });

  it('can be accepted again, and leaves the secrets of the invite as they are', () => {
    const before = structuredClone(answered);
    expect(accept(prefix)).toEqual(accept(prefix));
    expect(answered).toEqual(before);
  });

  it('says nothing in clear of who opens and to whom', () => {
    for (const hidden of [alice.key, bob.key, inviteId(invite.bytes)]) {
      expect(toHex(prefix)).not.toContain(toHex(hidden));
    }
  });

  it('is fresh each time: the same two, the same invite, another agreement', () => {
    const other = open(alice, OPENED, 'another opening');
    expect(other.prefix.subarray(0, 32)).not.toEqual(prefix.subarray(0, 32));
    expect(toHex(other.agreement.rootKey)).not.toBe(toHex(agreement.rootKey));
    expect(accept(other.prefix).agreement).toEqual(other.agreement);
  });
});

describe('what an agreement binds', () => {
  const keysOf = ({ transcript, rootKey, initiatorHeader, responderHeader }: typeof agreement) =>
    [transcript, rootKey, initiatorHeader, responderHeader].map(toHex);

  it.each([
    ['when it was opened', open(alice, OPENED + 1)],
    ['who opens', open(mallory)],
    ['the invite', openSession(alice, inviteOf(bob, 'another invite').invite, OPENED, repeatable('opening'))],
    ['whose invite it is', openSession(alice, inviteOf(mallory).invite, OPENED, repeatable('opening'))],
    ['the ephemeral keys', open(alice, OPENED, 'another opening')],
  ])('%s: nothing is the same where that differs', (_what, { agreement: other }) => {
    const ours = keysOf(agreement);
    for (const key of keysOf(other)) expect(ours).not.toContain(key);
  });

  it('even where all the secrets are the same: whether an invite is reusable', () => {
    const { invite: reusable } = inviteOf(bob, 'invite', true);
    expect(reusable.prekey).toEqual(invite.prekey);
    const other = openSession(alice, reusable, OPENED, repeatable('opening'));
    for (const key of keysOf(other.agreement)) expect(keysOf(agreement)).not.toContain(key);
  });
});

describe('an altered opening', () => {
  it('is refused with a bit of any byte flipped, and never agrees', () => {
    const outcomes = Array.from(prefix, (_, position) => {
      const altered = flipped(prefix, 8 * position + (position % 8));
      const hinted = attempt(() => (hintedInvite(bob, altered) === undefined ? 'not for us' : 'hinted'));
      return `${hinted}, ${attempt(() => `accepted from ${toHex(accept(altered).sender)}`)}`;
    });
    const [ephemeral, ciphertext, hint, sender] = [
      outcomes.slice(0, 32),
      outcomes.slice(32, 1120),
      outcomes.slice(1120, 1152),
      outcomes.slice(1152),
    ].map((part) => [...new Set(part)].sort());
    expect(outcomes).toHaveLength(PREFIX_LENGTH);
    // Bit 7 of the last byte makes a key that is not canonical.
    expect(ephemeral).toEqual(['not for us, corrupt', 'weak-key, weak-key']);
    expect(ciphertext).toEqual(['hinted, corrupt']);
    expect(hint).toEqual(['not for us, corrupt']);
    expect(sender).toEqual(['hinted, corrupt']);
  }, 120_000);

  it.each([0, 31, 32, 1120, 1207, 1209])('is corrupt when it is %i bytes long', (length) => {
    const cut = concat(prefix, new Uint8Array(1)).subarray(0, length);
    for (const read of [() => hintedInvite(bob, cut), () => accept(cut)]) {
      expect(refusal(read)).toMatchObject({ code: 'corrupt', detail: { what: 'opening' } });
    }
  });

  it.each([
    ['0', '0000000000000000000000000000000000000000000000000000000000000000'],
    ['1', '0100000000000000000000000000000000000000000000000000000000000000'],
    ['p - 1', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['of order 8', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
    ['of order 8 too', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'],
    ['p, not canonical', 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['the honest one with bit 255 set', toHex(flipped(prefix.subarray(0, 32), 255))],
  ])('is refused with a weak ephemeral key: %s', (_what, key) => {
    const altered = concat(hex(key), prefix.subarray(32));
    for (const read of [() => hintedInvite(bob, altered), () => accept(altered)]) {
      expect(refusal(read)).toMatchObject({ code: 'weak-key', detail: { what: 'ephemeral key of the opening' } });
    }
  });

  it.each([
    ['ephemeral key', 0, 32],
    ['KEM ciphertext', 32, 1120],
    ['hint', 1120, 1152],
    ['sender', 1152, 1208],
  ])('cannot take the %s of another opening of the same two', (_part, from, to) => {
    const other = open(alice, OPENED, 'another opening').prefix;
    const mixed = concat(prefix.subarray(0, from), other.subarray(from, to), prefix.subarray(to));
    expect(refusal(() => accept(mixed)).code).toBe('corrupt');
  });
});

describe('an opening in other hands', () => {
  it('is not for anybody else', () => {
    expect(hintedInvite(mallory, prefix)).toBeUndefined();
    expect(hintedInvite(alice, prefix)).toBeUndefined();
    expect(refusal(() => accept(prefix, mallory)).code).toBe('corrupt');
  });

  const other = inviteOf(bob, 'another invite').answered;
  const { prekey, kemSeed } = answered.secrets;
  it.each<[string, AnsweredInvite]>([
    ['another invite', other],
    ['another prekey', { ...answered, secrets: { prekey: other.secrets.prekey, kemSeed } }],
    ['another KEM seed', { ...answered, secrets: { prekey, kemSeed: other.secrets.kemSeed } }],
    ['the right secrets for another invite', { ...answered, bytes: other.bytes }],
  ])('is corrupt to its receiver with %s', (_what, using) => {
    expect(refusal(() => accept(prefix, bob, using)).code).toBe('corrupt');
  });

  it('is refused when it is our own', () => {
    const { prefix: own } = open(bob);
    expect(hintedInvite(bob, own)).toEqual(inviteId(invite.bytes));
    expect(refusal(() => accept(own))).toMatchObject({ code: 'self', detail: { what: 'message' } });
  });
});

describe('an opener who lies', () => {
  const forged = (claimed: Uint8Array, opened = OPENED, dh1: SharedSecret = dh1Of(mallory, invite)) =>
    spelledOut({ invite, claimed, dh1, opened, random: repeatable('forged') });

  it('cannot be somebody else: the acceptor agrees with alice, and mallory cannot', () => {
    const attack = forged(alice.key);
    const { sender, agreement: bobs } = accept(attack.prefix);
    expect(sender).toEqual(alice.key);
    expect(bobs.transcript).toEqual(attack.agreement.transcript);
    for (const key of ['rootKey', 'initiatorHeader', 'responderHeader'] as const) {
      expect(toHex(bobs[key])).not.toBe(toHex(attack.agreement[key]));
    }
    // It takes alice's secret, and nothing but that.
    expect(forged(alice.key, OPENED, dh1Of(alice, invite)).agreement).toEqual(bobs);
  });

  it('cannot put its name on an opening of another: without the secrets of that one nothing seals', () => {
    const own = forged(mallory.key).prefix;
    expect(accept(own).sender).toEqual(mallory.key);
    const swapped = concat(prefix.subarray(0, 1152), own.subarray(1152));
    expect(refusal(() => accept(swapped)).code).toBe('corrupt');
  });

  it('cannot be us', () => {
    expect(refusal(() => accept(forged(bob.key).prefix)).code).toBe('self');
  });

  it.each([
    ['the identity point', `01${'00'.repeat(31)}`],
    ['the identity point, not canonical', `ee${'ff'.repeat(30)}7f`],
    ['a point of order 8', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
    ['no point of the curve', `02${'00'.repeat(31)}`],
  ])('cannot have a weak identity: %s', (_what, claimed) => {
    const { prefix: weak } = forged(hex(claimed));
    expect(refusal(() => accept(weak))).toMatchObject({ code: 'weak-key', detail: { what: "opener's identity key" } });
  });

  it.each([0, 1, LATEST_TIME])('may have any clock that a date can name: %i', (opened) => {
    expect(accept(forged(mallory.key, opened).prefix).agreement.opened).toBe(opened);
  });

  it.each([LATEST_TIME + 1, Number.MAX_SAFE_INTEGER])('cannot have a clock that no date can name: %i', (opened) => {
    expect(refusal(() => accept(forged(mallory.key, opened).prefix)).code).toBe('corrupt');
  });
});

/** What `work` gives, or the code of the known error that it throws. */
function attempt(work: () => string): string {
  try {
    return work();
  } catch (error) {
    if (error instanceof PawlError) return error.code;
    throw error;
  }
}
