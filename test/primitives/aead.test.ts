import { chacha20poly1305, xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  NONCE_LENGTH,
  open,
  seal,
  sealBehindNonce,
  TAG_LENGTH,
  XNONCE_LENGTH,
  xopen,
  xseal,
} from '../../src/primitives/index.ts';
import vectors from '../vectors/chacha20-poly1305.json' with { type: 'json' };
import libchat from '../vectors/libchat.json' with { type: 'json' };
import { hex, shifted, toHexText } from './hex.ts';

type Seal = typeof seal;
type Open = typeof open;

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const upTo = (maxLength: number) => fc.uint8Array({ maxLength });

function flipped(input: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(input);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

describe('ChaCha20-Poly1305', () => {
  it.each(vectors.chacha20poly1305)('gives $name', (vector) => {
    const [key, nonce, aad, plaintext] = [hex(vector.key), hex(vector.nonce), hex(vector.aad), hex(vector.plaintext)];
    const sealed = hex(vector.ciphertext + vector.tag);
    expect(toHexText(seal(key, nonce, plaintext, aad))).toBe(toHexText(sealed));
    expect(open(key, nonce, sealed, aad)).toEqual(plaintext);
  });

  it.each(libchat.aead)("seals and opens as libchat's, nonce $nonce", (vector) => {
    const [key, nonce, aad, plaintext] = [hex(vector.key), hex(vector.nonce), hex(vector.aad), hex(vector.plaintext)];
    expect(vector.nonce + toHexText(seal(key, nonce, plaintext, aad))).toBe(vector.nonce_and_ciphertext);
    expect(toHexText(sealBehindNonce(key, nonce, plaintext, aad))).toBe(vector.nonce_and_ciphertext);
    const whole = hex(vector.nonce_and_ciphertext);
    expect(open(key, whole.subarray(0, NONCE_LENGTH), whole.subarray(NONCE_LENGTH), aad)).toEqual(plaintext);
  });

  it.each(libchat.aead_invalid)('opens nothing that libchat refuses: $note', (vector) => {
    const whole = hex(vector.nonce_and_ciphertext);
    expect(whole.length).toBeGreaterThanOrEqual(NONCE_LENGTH);
    expect(
      open(hex(vector.key), whole.subarray(0, NONCE_LENGTH), whole.subarray(NONCE_LENGTH), hex(vector.aad)),
    ).toBeUndefined();
  });

  it('agrees with noble on random input', () => {
    fc.assert(
      fc.property(bytes(32), bytes(NONCE_LENGTH), upTo(600), upTo(100), (key, nonce, plaintext, aad) => {
        const expected = chacha20poly1305(key, nonce, aad).encrypt(plaintext);
        const sealed = seal(shifted(key), shifted(nonce), shifted(plaintext), shifted(aad));
        expect(toHexText(sealed)).toBe(toHexText(expected));
        expect(open(shifted(key), shifted(nonce), shifted(expected), shifted(aad))).toEqual(plaintext);
      }),
      { numRuns: 300 },
    );
  });

  it.each([0, 1, 15, 16, 17, 63, 64, 65, 255, 256, 257, 1023, 1024, 1025, 4096, 65_537, 1_048_576])(
    'agrees with noble on %i bytes',
    (length) => {
      const key = new Uint8Array(32).fill(1);
      const nonce = new Uint8Array(NONCE_LENGTH).fill(2);
      const aad = new Uint8Array(length % 37).fill(3);
      const plaintext = Uint8Array.from({ length }, (_, index) => index * 7);
      const expected = chacha20poly1305(key, nonce, aad).encrypt(plaintext);
      const sealed = seal(key, nonce, plaintext, aad);
      expect(Buffer.compare(sealed, expected)).toBe(0);
      const opened = open(key, nonce, expected, aad);
      expect(opened && Buffer.compare(opened, plaintext)).toBe(0);
    },
  );
});

describe('XChaCha20-Poly1305', () => {
  it.each(vectors.xchacha20poly1305)('gives $name', (vector) => {
    const [key, nonce, aad, plaintext] = [hex(vector.key), hex(vector.nonce), hex(vector.aad), hex(vector.plaintext)];
    const sealed = hex(vector.ciphertext + vector.tag);
    expect(toHexText(xseal(key, nonce, plaintext, aad))).toBe(toHexText(sealed));
    expect(xopen(key, nonce, sealed, aad)).toEqual(plaintext);
  });

  it.each(vectors.xchachaPython)('gives what Python and OpenSSL give, nonce $nonce', (vector) => {
    const [key, nonce, aad, plaintext] = [hex(vector.key), hex(vector.nonce), hex(vector.aad), hex(vector.plaintext)];
    expect(toHexText(xseal(key, nonce, plaintext, aad))).toBe(vector.sealed);
    expect(xopen(key, nonce, shifted(hex(vector.sealed)), aad)).toEqual(plaintext);
  });

  it('opens what it sealed, wherever the bytes lie', () => {
    fc.assert(
      fc.property(bytes(32), bytes(XNONCE_LENGTH), upTo(300), upTo(100), (key, nonce, plaintext, aad) => {
        const sealed = xseal(shifted(key), shifted(nonce), shifted(plaintext), shifted(aad));
        expect(toHexText(sealed)).toBe(toHexText(xchacha20poly1305(key, nonce, aad).encrypt(plaintext)));
        expect(xopen(shifted(key), shifted(nonce), shifted(sealed), shifted(aad))).toEqual(plaintext);
      }),
    );
  });
});

describe.each<[string, Seal, Open, number]>([
  ['ChaCha20-Poly1305', seal, open, NONCE_LENGTH],
  ['XChaCha20-Poly1305', xseal, xopen, XNONCE_LENGTH],
])('%s opens nothing but what was sealed', (_name, sealWith, openWith, nonceLength) => {
  const key = Uint8Array.from({ length: 32 }, (_, index) => index);
  const nonce = Uint8Array.from({ length: nonceLength }, (_, index) => index + 100);
  const aad = new Uint8Array(40).fill(9);
  const plaintext = new Uint8Array(67).fill(0x61);
  const sealed = sealWith(key, nonce, plaintext, aad);

  it('gives ciphertext and a whole tag', () => {
    expect(sealed).toHaveLength(plaintext.length + TAG_LENGTH);
    expect(openWith(key, nonce, sealed, aad)).toEqual(plaintext);
  });

  it('not when any bit of it is flipped', () => {
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      expect(openWith(key, nonce, flipped(sealed, bit), aad), `bit ${bit}`).toBeUndefined();
    }
  });

  it('not under another key, nonce or associated data', () => {
    for (let bit = 0; bit < 256; bit++) expect(openWith(flipped(key, bit), nonce, sealed, aad)).toBeUndefined();
    for (let bit = 0; bit < nonceLength * 8; bit++) {
      expect(openWith(key, flipped(nonce, bit), sealed, aad)).toBeUndefined();
    }
    for (let bit = 0; bit < aad.length * 8; bit++) {
      expect(openWith(key, nonce, sealed, flipped(aad, bit))).toBeUndefined();
    }
    for (let length = 0; length < aad.length; length++) {
      expect(openWith(key, nonce, sealed, aad.subarray(0, length))).toBeUndefined();
    }
  });

  it('not at any other length', () => {
    for (let length = 0; length < sealed.length; length++) {
      expect(openWith(key, nonce, sealed.subarray(0, length), aad), `cut to ${length}`).toBeUndefined();
      expect(openWith(key, nonce, sealed.subarray(sealed.length - length), aad), `last ${length}`).toBeUndefined();
    }
    for (let more = 1; more <= 40; more++) {
      const longer = new Uint8Array(sealed.length + more);
      longer.set(sealed);
      expect(openWith(key, nonce, longer, aad), `${more} more`).toBeUndefined();
    }
  });

  it('not when bytes move between associated data and ciphertext', () => {
    const moved = new Uint8Array([...sealed.subarray(0, 1), ...aad]);
    expect(openWith(key, nonce, sealed.subarray(1), moved)).toBeUndefined();
  });

  it('never throws on anything of any length', () => {
    fc.assert(
      fc.property(upTo(200), upTo(60), (junk, other) => {
        expect(openWith(key, nonce, junk, other)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it('seals an empty plaintext to a tag alone', () => {
    const tag = sealWith(key, nonce, new Uint8Array(0), aad);
    expect(tag).toHaveLength(TAG_LENGTH);
    expect(openWith(key, nonce, tag, aad)).toEqual(new Uint8Array(0));
  });

  it('gives plain byte arrays of their own memory and leaves its input alone', () => {
    const inputs = [key, nonce, plaintext, aad, sealed];
    const before = inputs.map(toHexText);
    const opened = openWith(key, nonce, sealed, aad);
    const again = sealWith(key, nonce, plaintext, aad);
    openWith(key, nonce, flipped(sealed, 0), aad);
    for (const output of [opened, again]) {
      expect(output?.constructor).toBe(Uint8Array);
      expect(output?.buffer.byteLength).toBe(output?.length);
    }
    expect(inputs.map(toHexText)).toEqual(before);
  });
});
