import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { armor, dearmor, decodeContent, decodeEnvelope, decodeWhole, encodeContent } from '../../src/envelope/index.ts';
import { paddedLength } from '../../src/envelope/padding.ts';
import { createIdentity, fingerprint, inviteId, readInvite, safetyNumber } from '../../src/handshake/index.ts';
import {
  digest,
  type IdentityKey,
  type IdentitySeed,
  keyedBlake2b,
  readEncapsulationKey,
  readIdentityKey,
  readPublicKey,
  type SharedSecret,
  toHex,
  toX25519PublicKey,
  toX25519SecretKey,
} from '../../src/primitives/index.ts';
import { type RootKey, RULES, rootStep } from '../../src/ratchet/index.ts';
import { Mark } from '../../src/storage/rollback-mark.ts';
import { hex } from '../primitives/hex.ts';
import { editedBlock, joined } from './bytes.ts';
import { contentOf, written } from './contents.ts';
import type { Bytes, Vectors } from './format.ts';
import { printed, vectors } from './making/index.ts';
import { Reading } from './reading/reading.ts';
import { expectRefusal } from './refused.ts';

// test/vectors/pawl-1.json, read as anybody may read it.

const path = join(import.meta.dirname, '..', 'vectors', 'pawl-1.json');
const text = readFileSync(path, 'utf8');
const known = JSON.parse(text) as Vectors;
const reading = new Reading(known.stories);
afterAll(() => reading.close());

/** The sections name what the stories made. */
const bytes = (of: Bytes) => joined(of, (name) => reading.bytesOf(name));

describe('the known answers', () => {
  it('are those that `npm run vectors` computes', async () => {
    expect(printed(await vectors())).toBe(text);
  });
});

describe('the stories', () => {
  it.each(known.stories)('come out as they are told: $name', ({ name }) => reading.follow(name));
});

describe('the sections', () => {
  beforeAll(async () => {
    for (const { name } of known.stories) await reading.follow(name);
  });

  it('derive', () => {
    const { digest: digests, keyed, root } = known.derivations;
    for (const { length, of, is } of digests) expect(toHex(digest(length, hex(of)))).toBe(is);
    for (const { key, personalization, is } of keyed) expect(toHex(keyedBlake2b(hex(key), personalization))).toBe(is);
    for (const { rootKey, input, is } of root) {
      const step = rootStep(hex(rootKey) as RootKey, hex(input) as SharedSecret, RULES.domain);
      expect([step.rootKey, step.chainKey, step.nextHeaderKey].map(toHex)).toEqual(is);
    }
  });

  it('make identities of seeds, and safety numbers of identities', () => {
    for (const { seed, identity, x25519Secret, x25519, fingerprint: print } of known.identities) {
      const { key } = createIdentity(() => hex(seed));
      expect([toHex(key), fingerprint(key)]).toEqual([identity, print]);
      expect([toHex(toX25519SecretKey(hex(seed) as IdentitySeed)), toHex(toX25519PublicKey(key))]).toEqual([
        x25519Secret,
        x25519,
      ]);
    }
    for (const { of, digits } of known.safetyNumbers) {
      const [one, other] = of.map((key) => hex(key) as IdentityKey) as [IdentityKey, IdentityKey];
      expect(safetyNumber(one, other)).toBe(digits);
    }
  });

  it('read marks', () => {
    for (const { seed, name, generation, bytes: file } of known.marks) {
      const folder = mkdtempSync(join(tmpdir(), 'pawl-mark-'));
      writeFileSync(join(folder, name), hex(file));
      expect(new Mark(folder, hex(seed) as IdentitySeed).read()).toEqual({ generation });
      rmSync(folder, { recursive: true });
    }
  });

  const readers = {
    x25519: (key: Uint8Array) => readPublicKey(key, 'key'),
    identity: (key: Uint8Array) => readIdentityKey(key, 'key'),
    kem: readEncapsulationKey,
  };
  it.each(['x25519', 'identity', 'kem'] as const)('admit and refuse keys: %s', (kind) => {
    const { admitted, refused } = known.publicKeys[kind];
    for (const key of admitted) expect(readers[kind](bytes(key.bytes))).toEqual(bytes(key.bytes));
    for (const key of refused) expectRefusal(key.why, 'weak-key', () => readers[kind](bytes(key.bytes)));
  });

  it('read and refuse invites', () => {
    const maker = createIdentity(() => hex(known.invites.maker));
    for (const { bytes: of, id, reusable, identity, prekey, expires } of known.invites.read) {
      const read = readInvite(bytes(of));
      expect(read.identity).toEqual(maker.key);
      expect([read.reusable, read.expiresAt / 1_000]).toEqual([reusable, expires]);
      expect([inviteId(read.bytes), read.identity, read.prekey].map(toHex)).toEqual([id, identity, prekey]);
    }
    for (const { why, code, bytes: of } of known.invites.refused) expectRefusal(why, code, () => readInvite(bytes(of)));
  });

  it('pad', () => {
    for (const [length, padded] of known.padding) expect(paddedLength(length)).toBe(padded);
  });

  it('read and refuse contents', () => {
    for (const { content, length, padded, digest: is } of known.contents.read) {
      const plaintext = encodeContent(contentOf(content));
      const used = 13 + Buffer.from(plaintext).readUInt32BE(9);
      expect([used, plaintext.length, toHex(digest(16, plaintext))]).toEqual([length, padded, is]);
      expect(written(decodeWhole(plaintext))).toEqual(written(contentOf(content)));
    }
    for (const { why, code, bytes: of } of known.contents.refused) {
      expectRefusal(why, code, () => decodeContent(bytes(of)));
    }
    for (const { why, code, content } of known.contents.notSent) {
      expectRefusal(why, code, () => encodeContent(contentOf(content)));
    }
  });

  it('refuse what is no envelope', () => {
    for (const { why, code, bytes: of } of known.envelopes.refused) {
      expectRefusal(why, code, () => decodeEnvelope(bytes(of)));
    }
  });

  it('read and refuse blocks', () => {
    const blocks = new Map(known.armor.read.map(({ of, block }) => [of, block]));
    for (const [of, block] of blocks) {
      const envelope = dearmor(block);
      expect(armor(envelope)).toBe(block);
      const decoded = decodeEnvelope(envelope);
      expect(decoded.kind === 'invite' ? decoded.invite : envelope).toEqual(bytes([[of, 0, envelope.length]]));
    }
    for (const { why, code, of, find, put } of known.armor.refused) {
      const parts = blocks.get(of)?.split(find);
      expect(parts).toHaveLength(2);
      expectRefusal(why, code, () => dearmor(parts?.join(put) ?? ''));
    }
    for (const { why, of, edits, block: blockCode, envelope: envelopeCode } of known.armor.edited) {
      const block = editedBlock(blocks.get(of) ?? '', edits);
      if (blockCode !== undefined) expectRefusal(why, blockCode, () => dearmor(block));
      else if (envelopeCode !== undefined) expectRefusal(why, envelopeCode, () => decodeEnvelope(dearmor(block)));
      else throw new Error(`${why}: nothing is refused`);
      if (blockCode === undefined) expect(armor(dearmor(block))).toBe(block);
    }
  });
});
