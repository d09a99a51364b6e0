import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sealPart } from '../../fuzz/one-part.ts';
import {
  armor,
  dearmor,
  decodeContent,
  decodeEnvelope,
  encodeContent,
  encodeEnvelope,
  partHead,
  partSizeOf,
} from '../../src/envelope/index.ts';
import { paddedLength } from '../../src/envelope/padding.ts';
import { createIdentity, fingerprint, inviteId, readInvite, safetyNumber } from '../../src/handshake/index.ts';
import { deriveKeys, type Link, nextLink } from '../../src/parts/index.ts';
import {
  concat,
  digest,
  equal,
  hkdfSha256,
  hmacSha256,
  type IdentityKey,
  type IdentitySeed,
  keyedBlake2b,
  readEncapsulationKey,
  readIdentityKey,
  readPublicKey,
  type SharedSecret,
  seal,
  toHex,
  toX25519PublicKey,
  toX25519SecretKey,
  utf8,
} from '../../src/primitives/index.ts';
import { type RootKey, RULES, rootStep } from '../../src/ratchet/index.ts';
import { Mark } from '../../src/storage/rollback-mark.ts';
import { hex } from '../primitives/hex.ts';
import { editedBlock, joined } from './bytes.ts';
import { contentOf, written } from './contents.ts';
import type { Bytes, Vectors } from './format.ts';
import { printed, vectors } from './making/index.ts';
import { logFor, openedPart, take } from './parts.ts';
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
      expect(written(decodeContent(plaintext))).toEqual(written(contentOf(content)));
    }
    for (const { why, code, bytes: of } of known.contents.refused) {
      expectRefusal(why, code, () => decodeContent(bytes(of)));
    }
    for (const { why, code, content } of known.contents.notSent) {
      expectRefusal(why, code, () => encodeContent(contentOf(content)));
    }
  });

  it('read and refuse envelopes', () => {
    for (const { bytes: of, salt, tag, partSize } of known.envelopes.read) {
      const envelope = decodeEnvelope(bytes(of));
      if (envelope.kind !== 'part') throw new Error('a part');
      const { part } = envelope;
      expect([toHex(part.salt), toHex(part.tag), partSizeOf(part)]).toEqual([salt, tag, partSize]);
      expect(equal(encodeEnvelope(envelope), bytes(of))).toBe(true);
    }
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

  it('seal, open and refuse parts, and tell which belong together', () => {
    const contents = new Map(known.parts.contents.map((content) => [content.as, content]));
    const contentOfPart = (of: string) => contents.get(of) ?? expect.fail(`no ${of}`);
    for (const { key, findKey, saltKey } of known.parts.contents) {
      const { find, salt } = deriveKeys(hex(key));
      expect([toHex(find), toHex(salt)]).toEqual([findKey, saltKey]);
    }
    const envelopes = new Map<string, Uint8Array>();
    for (const { as, of, index, last, data, link, r, ...made } of known.parts.sealed) {
      const { key, partSize } = contentOfPart(of);
      const part = { index, isLast: last === 1, link: hex(link) as Link, data: bytes(data) };
      const { sealed, digest: d } = sealPart(deriveKeys(hex(key)), part, { partSize, random: () => hex(r) });
      const envelope = encodeEnvelope({ kind: 'part', part: sealed });
      expect({
        digest: toHex(d),
        next: toHex(nextLink(part.link, d)),
        salt: toHex(sealed.salt),
        tag: toHex(sealed.tag),
        partKey: toHex(hkdfSha256(hex(key), utf8('pawl/1 part key'), 32, sealed.salt)),
        length: envelope.length,
        is: toHex(digest(16, envelope)),
      }).toEqual(made);
      const { data: opened, ...fields } = openedPart(contentOfPart(of), envelope);
      expect(equal(opened, part.data)).toBe(true);
      expect(fields).toEqual({ index, isLast: part.isLast, link: part.link, digest: d });
      envelopes.set(as, envelope);
    }
    const named = (name: string) => envelopes.get(name) ?? expect.fail(`no ${name}`);
    for (const { why, code, of, salt, plaintext, is } of known.parts.forged) {
      const { key, findKey, partSize } = contentOfPart(of);
      const tag = hmacSha256(hex(findKey), hex(salt)).slice(0, 8);
      const partKey = hkdfSha256(hex(key), utf8('pawl/1 part key'), 32, hex(salt));
      const head = partHead({ salt: hex(salt), tag }, partSize);
      const envelope = concat(head, seal(partKey, new Uint8Array(12), bytes(plaintext), head));
      expect(toHex(digest(16, envelope))).toBe(is);
      expectRefusal(why, code, () => openedPart(contentOfPart(of), envelope));
    }
    for (const { why, code, of, bytes: altered } of known.parts.refused) {
      expectRefusal(why, code, () => openedPart(contentOfPart(of), joined(altered, named)));
    }
    for (const { tells, of, steps, missing, bytes: there, complete } of known.parts.received) {
      const log = logFor(contentOfPart(of));
      const outcomes = steps.map(([name]) => [name, take(log, openedPart(contentOfPart(of), named(name)))]);
      expect([tells, ...outcomes]).toEqual([tells, ...steps]);
      expect([log.firstMissing, log.bytes, log.isComplete]).toEqual([missing, there, complete]);
    }
  });
});
