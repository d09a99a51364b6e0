import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sealPart } from '../fuzz/one-part.ts';
import { encodeContent, encodeEnvelope } from '../src/envelope/index.ts';
import { paddedLength } from '../src/envelope/padding.ts';
import {
  acceptOpening,
  createIdentity,
  createInvite,
  fingerprint,
  hintedInvite,
  inviteBox,
  inviteId,
  openSession,
  safetyNumber,
} from '../src/handshake/index.ts';
import { deriveKeys, FIRST_LINK, nextLink } from '../src/parts/index.ts';
import { boxOf } from '../src/places/index.ts';
import { digest, hkdfSha256, type Random, toHex, utf8 } from '../src/primitives/index.ts';
import { encrypt, initiatorState, nextMessageKey } from '../src/ratchet/index.ts';

// What docs/PROTOCOL.md §11 states for others to check themselves against, computed by the code.

const document = readFileSync(join(import.meta.dirname, '..', 'docs', 'PROTOCOL.md'), 'utf8');
const section = document.slice(document.indexOf('## 11.'), document.indexOf('## 12.'));

/** The rows of the table, in their order. */
const stated = [...section.matchAll(/^\| (.+?) \| (.+?) \|$/gm)]
  .map(([, value = '', hex = '']) => [value, hex.replaceAll('`', '')] as const)
  .slice(1);

/** Bytes of the value that comes next in the list, and no others. */
function bytesOf(...values: readonly number[]): Random {
  const left = [...values];
  return (length) => new Uint8Array(length).fill(left.shift() ?? Number.NaN);
}

/** A part of a content: the only one. */
function computePart(): readonly string[] {
  const keys = deriveKeys(bytesOf(7)(32));
  const part = { index: 0, isLast: true, link: FIRST_LINK, data: utf8('hi bob') };
  const { sealed, digest: partDigest } = sealPart(keys, part, { partSize: 65_536, random: bytesOf(8) });
  const envelope = encodeEnvelope({ kind: 'part', part: sealed });
  expect(envelope).toHaveLength(65_627);
  return [
    toHex(keys.find),
    toHex(keys.salt),
    toHex(partDigest),
    toHex(nextLink(FIRST_LINK, partDigest)),
    `${toHex(sealed.salt)}, ${toHex(sealed.tag)}`,
    toHex(hkdfSha256(keys.content, utf8('pawl/1 part key'), 32, sealed.salt)),
    toHex(digest(16, envelope)),
  ];
}

function compute(): readonly string[] {
  const alice = createIdentity(bytesOf(0xa0));
  const bob = createIdentity(bytesOf(0xb0));
  const { invite, secrets } = createInvite(bob, { reusable: false, expiresAt: 2_000_000_000_000 }, bytesOf(1, 2));
  const opened = 1_900_000_000_000;
  const { prefix, agreement } = openSession(alice, invite, opened, bytesOf(3, 4));
  expect(toHex(hintedInvite(bob, prefix) ?? new Uint8Array())).toBe(toHex(inviteId(invite.bytes)));
  expect(acceptOpening(bob, prefix, { bytes: invite.bytes, secrets }).agreement).toEqual(agreement);

  const state = initiatorState(agreement, invite.prekey, { random: bytesOf(5), now: opened });
  if (state.sending.kind !== 'chain') throw new Error('the opener has a chain');
  const { messageKey } = nextMessageKey(state, bytesOf(), opened);
  const plaintext = encodeContent({ type: 'text', sentAt: opened, bytes: utf8('hi bob') });
  const { message, id } = encrypt(state, plaintext, {
    associatedData: agreement.transcript,
    random: bytesOf(6),
    now: opened,
  });
  const envelope = encodeEnvelope({ kind: 'opening', prefix, message });
  expect(envelope).toHaveLength(1_600);
  return [
    toHex(alice.key),
    toHex(bob.key),
    `${fingerprint(alice.key)}, ${fingerprint(bob.key)}`,
    safetyNumber(alice.key, bob.key),
    `${toHex(inviteId(invite.bytes))}, ${toHex(digest(16, prefix))}`,
    toHex(prefix.subarray(1_120, 1_152)),
    toHex(agreement.transcript),
    toHex(agreement.rootKey),
    toHex(agreement.initiatorHeader),
    toHex(agreement.responderHeader),
    `${toHex(agreement.initiatorBox)}, ${toHex(agreement.responderBox)}`,
    `${toHex(inviteBox(invite.bytes))}, ${boxOf(inviteBox(invite.bytes))}`,
    toHex(state.sending.header.find),
    toHex(state.rootKey),
    toHex(state.sending.chainKey),
    toHex(state.nextSending.header),
    toHex(messageKey),
    `${toHex(message.body.subarray(0, 12))}, ${toHex(message.headerNonce.subarray(16))}`,
    toHex(message.headerNonce.subarray(0, 16)),
    toHex(id),
    toHex(digest(16, envelope)),
  ];
}

describe('the values of docs/PROTOCOL.md', () => {
  it('are those that the code computes', () => {
    expect([...compute(), ...computePart()]).toEqual(stated.map(([, hex]) => hex));
  });

  it('has the padded lengths that the code computes', () => {
    const paragraph = section.slice(section.indexOf('P of L:'));
    const pairs = [...paragraph.matchAll(/([\d,]+\d|\d+)\s→\s([\d,]+\d|\d+)/g)].map(([, length = '', padded = '']) =>
      [length, padded].map((number) => Number(number.replaceAll(',', ''))),
    );
    expect(pairs.length).toBeGreaterThan(5);
    for (const [length = 0, padded] of pairs) expect(paddedLength(length)).toBe(padded);
  });
});
