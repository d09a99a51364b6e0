import { describe, expect, it } from 'vitest';
import {
  concat,
  generateKeyPair,
  sharedSecret,
  type X25519PublicKey,
  type X25519SecretKey,
} from '../../src/primitives/index.ts';
import { decodeHeader, encodeHeader, nextMessageKey } from '../../src/ratchet/index.ts';
import { hex } from '../primitives/hex.ts';
import libchat from '../vectors/libchat.json' with { type: 'json' };
import {
  begin,
  expectState,
  forbidden,
  LIBCHAT_LIMITS,
  type LibchatParty,
  present,
  transcript,
  WEDGE,
  WEDGED_AT,
} from './libchat-party.ts';
import { refusal, repeatable } from './party.ts';

describe('no deadlock after 11 messages lost at the end of a chain', () => {
  const { steps } = transcript(WEDGE);
  const stepOf = (index: number) => present(steps[index]);
  const textOf = (message: number | undefined) =>
    present(steps.find((step) => step.op === 'encrypt' && step.message === message)).plaintext;

  /** Bob, where libchat's session cannot go on: 11 messages are missing at the end of the chain before. */
  function wedged(): LibchatParty {
    const party = begin(transcript(WEDGE));
    for (const step of steps.slice(0, WEDGED_AT)) {
      if (step.op === 'encrypt') party(step.who).encrypt(step);
      else party(step.who).decrypt(step);
    }
    expectState(party('bob'), stepOf(WEDGED_AT).state_after.fields);
    return party('bob');
  }

  it('reads the new chain, steps 18 to 20, which libchat refuses', () => {
    const bob = wedged();
    for (const index of [18, 19, 20]) {
      const step = stepOf(index);
      expect(step.expect).toEqual({ error: 'TooManySkippedMessages' });
      expect(bob.decrypt(step)).toEqual({ plaintext: textOf(step.message) });
    }
    // What libchat has after step 22, but for the keys that it still keeps there: of 1 to 10, 13 and 14.
    expectState(bob, { ...stepOf(22).state_after.fields, skipped_sorted: [] });
  });

  it('gives the 11 up: a late one, step 21, which libchat reads, is too late', () => {
    const bob = wedged();
    bob.decrypt(stepOf(18));
    expect(stepOf(21).expect).toEqual({ plaintext: textOf(11) });
    expect(bob.decrypt(stepOf(21))).toEqual({ refused: 'too-late' });
  });

  it('does not read step 22 once more, which libchat reads for the first time', () => {
    const bob = wedged();
    bob.decrypt(stepOf(20));
    expect(stepOf(22).message).toBe(stepOf(20).message);
    expect(bob.decrypt(stepOf(22))).toEqual({ refused: 'too-late' });
  });

  it('reads steps 21 and 22 as libchat does where the late one comes before the new chain', () => {
    const bob = wedged();
    for (const index of [21, 22]) {
      expect(bob.decrypt(stepOf(index))).toEqual(stepOf(index).expect);
      expectState(bob, stepOf(index).state_after.fields);
    }
  });
});

describe('the other differences from libchat', () => {
  it('a receiver that sends first gets a typed error and no panic: missing_chain, step 2', () => {
    const { steps } = transcript('missing_chain');
    expect(steps[2]?.expect).toMatchObject({ error: 'Panic' });
    const bob = begin(transcript('missing_chain'))('bob');
    expect(refusal(() => nextMessageKey(bob.state, forbidden, 0, bob.rules)).code).toBe('not-begun');
  });

  it('low-order and non-canonical ratchet keys are refused: headers 0 and 3; tampered_header, steps 11 to 13', () => {
    const { steps } = transcript('tampered_header/rollback');
    const headers = [0, 3].map((index) => present(libchat.header[index]).bytes);
    const tampered = [11, 12, 13].map((index) => present(steps[index]?.header).bytes);
    for (const bytes of [...headers, ...tampered]) {
      const error = refusal(() => decodeHeader(hex(bytes)));
      expect(error).toMatchObject({ code: 'weak-key', detail: { what: 'ratchet key' } });
    }
  });

  it.each(libchat.x25519_special.filter(({ shared }) => /^0+$/.test(shared)))(
    'a shared secret of zeros is refused: x25519_special %#',
    (vector) => {
      const agree = () => sharedSecret(hex(vector.secret) as X25519SecretKey, hex(vector.public) as X25519PublicKey);
      expect(refusal(agree).code).toBe('weak-key');
    },
  );

  it('skipped keys are bounded: of the 10 of one gap (max_skip_one_chain, step 37) the newest 4 are kept', () => {
    const { steps } = transcript('max_skip_one_chain/rollback');
    const bob = begin(transcript('max_skip_one_chain/rollback'), { ...LIBCHAT_LIMITS, keptKeys: 4 })('bob');
    const step = present(steps[37]);
    expect(bob.decrypt(step)).toEqual(step.expect);
    const { skipped_sorted } = step.state_after.fields;
    expect(skipped_sorted).toHaveLength(10);
    expect(bob.skipped).toEqual(skipped_sorted.slice(6));
  });

  it('identities are bound: under a transcript nothing of libchat’s opens, and nothing seals alike', () => {
    const [sent, received] = transcript('basic').steps;
    const { header, ciphertext, plaintext } = present(sent);
    const party = begin(transcript('basic'), LIBCHAT_LIMITS, new Uint8Array(32).fill(1));
    const bound = party('alice').encrypt(present(sent));
    expect(bound.header).toBe(header?.bytes);
    expect(bound.ciphertext).not.toBe(ciphertext);
    expect(party('bob').decrypt(present(received))).toEqual({ refused: 'does not authenticate' });
    expect(party('bob').decrypt({ ...present(received), ciphertext: bound.ciphertext })).toEqual({ plaintext });
  });

  it('bytes after a header are refused, and missing ones', () => {
    const header = encodeHeader({ dh: generateKeyPair(repeatable('key')).publicKey, n: 1, pn: 2 });
    expect(decodeHeader(header).n).toBe(1);
    for (const wrong of [concat(header, new Uint8Array(1)), header.subarray(0, 39), new Uint8Array(0)]) {
      expect(refusal(() => decodeHeader(wrong))).toMatchObject({ code: 'corrupt', detail: { what: 'message header' } });
    }
  });
});
