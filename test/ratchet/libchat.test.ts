import { describe, expect, it } from 'vitest';
import {
  concat,
  hkdfSha256,
  keyedBlake2b,
  type SharedSecret,
  sharedSecret,
  toHex,
  utf8,
  type X25519PublicKey,
  type X25519SecretKey,
} from '../../src/primitives/index.ts';
import {
  type ChainKey,
  chainStep,
  decodeHeader,
  encodeHeader,
  nextMessageKey,
  type RootKey,
  rootStep,
} from '../../src/ratchet/index.ts';
import { hex } from '../primitives/hex.ts';
import libchat from '../vectors/libchat.json' with { type: 'json' };
import {
  begin,
  expectState,
  forbidden,
  type LibchatParty,
  present,
  type Step,
  transcript,
  transcripts,
  WEDGE,
  WEDGED_AT,
} from './libchat-party.ts';
import { purely, refusal } from './party.ts';

const rollback = transcripts.filter(({ mode }) => mode === 'rollback');

/** How pawl words libchat's refusals. */
const REFUSALS: Record<string, string> = {
  MessageReplay: 'too-late',
  TooManySkippedMessages: 'gap-too-large',
  DecryptionFailed: 'does not authenticate',
  CiphertextTooShort: 'does not authenticate',
};

/** Steps that both refuse, pawl for a reason of its own: transcript, step, pawl's reason. */
const OTHER_REASONS: Record<string, Record<number, string>> = {
  // pawl still knows the chains that have ended, and takes their replays for nothing else.
  'replay/rollback': { 16: 'too-late', 18: 'too-late' },
  'tampered_header/rollback': {
    // A new chain of the peer's cannot begin before one of ours that answers the last.
    8: 'fork',
    9: 'fork',
    10: 'fork',
    // Not canonical, and of low order: refused before use.
    11: 'weak-key',
    12: 'weak-key',
    13: 'weak-key',
  },
  missing_chain: {
    // There was no chain before the first: pn must be 0, whatever its size.
    3: 'corrupt',
    4: 'corrupt',
    5: 'corrupt',
    // pawl takes the header's key for that of a new chain, under which the body does not open.
    6: 'does not authenticate',
    7: 'does not authenticate',
  },
};

function play(party: LibchatParty, name: string, step: Step, index: number): void {
  switch (step.op) {
    case 'encrypt':
      if (step.expect?.error === 'Panic') {
        const send = () => purely(party.state, () => nextMessageKey(party.state, forbidden, 0, party.rules));
        expect(refusal(send).code).toBe('not-begun');
      } else {
        expect(party.encrypt(step)).toEqual({ header: present(step.header).bytes, ciphertext: step.ciphertext });
      }
      break;
    case 'decrypt': {
      const { plaintext, error } = present(step.expect);
      const refused = OTHER_REASONS[name]?.[index] ?? REFUSALS[error ?? ''];
      expect(party.decrypt(step)).toEqual(error === undefined ? { plaintext } : { refused });
      break;
    }
    case 'reimport':
      party.state = structuredClone(party.state);
      break;
    default:
      throw new Error(`unknown step: ${step.op}`);
  }
}

describe("libchat's transcripts", () => {
  it('are all there', () => {
    expect(rollback).toHaveLength(13);
    expect(rollback.flatMap(({ steps }) => steps)).toHaveLength(347);
  });

  it.each(rollback)('$name: $description', ({ name, steps, init }) => {
    const party = begin(transcript(name));
    expectState(party('alice'), init.alice.state.fields);
    expectState(party('bob'), init.bob.state.fields);
    // From there on the two differ, on purpose: libchat-differences.test.ts.
    const end = name === WEDGE ? WEDGED_AT : steps.length;
    for (const [index, step] of steps.slice(0, end).entries()) {
      try {
        play(party(step.who), name, step, index);
        expectState(party(step.who), step.state_after.fields);
      } catch (cause) {
        throw new Error(`step ${index}: ${step.who} ${step.op}s ${step.message ?? ''} ${step.note ?? ''}`, { cause });
      }
    }
  });
});

describe("libchat's KDFs and header", () => {
  it.each(libchat.kdf_root)('gives the root step %# ($domain)', ({ root, dh, domain, new_root, chain }) => {
    const step = rootStep(hex(root) as RootKey, hex(dh) as SharedSecret, domain);
    expect([toHex(step.rootKey), toHex(step.chainKey)]).toEqual([new_root, chain]);
  });

  it.each(libchat.kdf_chain)('gives the sixteen chain steps %#', ({ chain, steps }) => {
    let chainKey = hex(chain) as ChainKey;
    expect(steps).toHaveLength(16);
    for (const { next_chain, message_key } of steps) {
      const step = chainStep(chainKey);
      expect([toHex(step.chainKey), toHex(step.messageKey)]).toEqual([next_chain, message_key]);
      chainKey = step.chainKey;
    }
  });

  it.each(libchat.header)('gives the header of n = $n, pn = $pn', ({ dh, n, pn, bytes }) => {
    expect(toHex(encodeHeader({ dh: hex(dh) as X25519PublicKey, n, pn }))).toBe(bytes);
  });

  // The first and the last have keys that pawl refuses: libchat-differences.test.ts.
  it.each(libchat.header.slice(1, 3))('reads the header of n = $n, pn = $pn', ({ dh, n, pn, bytes }) => {
    expect(decodeHeader(hex(bytes))).toEqual({ dh: hex(dh), n, pn });
  });
});

describe("libchat's X3DH", () => {
  const dh = (secret: string, remote: string) =>
    toHex(sharedSecret(hex(secret) as X25519SecretKey, hex(remote) as X25519PublicKey));

  it.each(libchat.x3dh)('agrees on both sides, and gives the inbox seed: vector %#', (vector) => {
    const { initiator: a, responder: b, domain } = vector;
    const onetime = { secret: b.onetime_secret, public: b.onetime_public };
    const initiators = [
      dh(a.identity_secret, b.signed_prekey_public),
      dh(a.ephemeral_secret, b.identity_public),
      dh(a.ephemeral_secret, b.signed_prekey_public),
      ...(onetime.public === undefined ? [] : [dh(a.ephemeral_secret, onetime.public)]),
    ];
    const responders = [
      dh(b.signed_prekey_secret, a.identity_public),
      dh(b.identity_secret, a.ephemeral_public),
      dh(b.signed_prekey_secret, a.ephemeral_public),
      ...(onetime.secret === undefined ? [] : [dh(onetime.secret, a.ephemeral_public)]),
    ];
    expect(initiators).toEqual(Object.values(vector.dh));
    expect(responders).toEqual(initiators);

    const secret = hkdfSha256(concat(...initiators.map(hex)), utf8(domain), 32);
    expect(domain).toBe('logos_chat_inbox');
    expect(toHex(secret)).toBe(vector.shared_secret);
    expect(toHex(keyedBlake2b(secret, 'InboxV1-Seed'))).toBe(vector.inbox_seed);
  });

  it('is where the transcript x3dh_private_v1 begins', () => {
    const { shared_secret, init } = transcript('x3dh_private_v1');
    const { inbox_seed, responder } = present(libchat.x3dh[0]);
    expect(shared_secret).toBe(inbox_seed);
    expect(init.bob.secret).toBe(responder.signed_prekey_secret);
    expect(init.alice.remote_public).toBe(responder.signed_prekey_public);
  });
});
