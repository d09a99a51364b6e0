import { blake2b } from '@noble/hashes/blake2.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  digest,
  hkdfBlake2b,
  hkdfSha256,
  hmacBlake2b,
  hmacSha256,
  keyedBlake2b,
  sha512,
  utf8,
} from '../../src/primitives/index.ts';
import personal from '../vectors/blake2b-personal.json' with { type: 'json' };
import python from '../vectors/kdf-python.json' with { type: 'json' };
import libchat from '../vectors/libchat.json' with { type: 'json' };
import { hex, shifted, toHexText } from './hex.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const upTo = (maxLength: number) => fc.uint8Array({ maxLength });
const parts = fc.array(upTo(150), { maxLength: 5 });
const joined = (of: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(of));

describe('digest', () => {
  const abc =
    'ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1' +
    '7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923';

  it('gives BLAKE2b-512 of "abc" (RFC 7693 appendix A)', () => {
    expect(toHexText(digest(64, utf8('abc')))).toBe(abc);
    expect(toHexText(digest(64, utf8('a'), new Uint8Array(0), utf8('bc')))).toBe(abc);
  });

  it('is cut from the 64 bytes, not another BLAKE2b', () => {
    for (const length of [1, 8, 16, 32, 63, 64]) {
      expect(toHexText(digest(length, utf8('abc')))).toBe(abc.slice(0, 2 * length));
    }
    expect(digest(16).buffer.byteLength).toBe(16);
  });

  it("gives what Python's hashlib gives", () => {
    for (const vector of python.blake2b512) expect(toHexText(digest(64, hex(vector.message)))).toBe(vector.digest);
  });

  it('agrees with noble, however the input is divided', () => {
    fc.assert(
      fc.property(parts, (input) => {
        expect(toHexText(digest(64, ...input.map(shifted)))).toBe(toHexText(blake2b(joined(input))));
      }),
    );
  });
});

describe('sha512', () => {
  it('gives the SHA-512 of "abc" (the message of RFC 8032 §7.1 TEST SHA(abc))', () => {
    const abc =
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
      '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f';
    expect(toHexText(sha512(utf8('abc')))).toBe(abc);
    expect(toHexText(sha512(utf8('ab'), utf8('c')))).toBe(abc);
  });
});

describe('hmacSha256', () => {
  const repeated = (byte: number, length: number) => new Uint8Array(length).fill(byte);
  it.each<[number, Uint8Array, Uint8Array, string]>([
    [1, repeated(0x0b, 20), utf8('Hi There'), 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
    [
      2,
      utf8('Jefe'),
      utf8('what do ya want for nothing?'),
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
    [3, repeated(0xaa, 20), repeated(0xdd, 50), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
    [
      4,
      Uint8Array.from({ length: 25 }, (_, index) => index + 1),
      repeated(0xcd, 50),
      '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
    ],
    [
      6,
      repeated(0xaa, 131),
      utf8('Test Using Larger Than Block-Size Key - Hash Key First'),
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    ],
  ])('gives RFC 4231 test case %i', (_case, key, message, mac) => {
    expect(toHexText(hmacSha256(key, message))).toBe(mac);
  });

  it('agrees with noble', () => {
    fc.assert(
      fc.property(upTo(200), upTo(200), (key, message) => {
        expect(toHexText(hmacSha256(shifted(key), shifted(message)))).toBe(toHexText(hmac(sha256, key, message)));
      }),
    );
  });
});

describe('hmacBlake2b', () => {
  it("gives what Python's hmac gives", () => {
    for (const vector of python.hmacBlake2b) {
      expect(toHexText(hmacBlake2b(hex(vector.key), hex(vector.message)))).toBe(vector.mac);
    }
  });

  it('agrees with noble, however the input is divided', () => {
    fc.assert(
      fc.property(upTo(200), parts, (key, input) => {
        expect(toHexText(hmacBlake2b(shifted(key), ...input.map(shifted)))).toBe(
          toHexText(hmac(blake2b, key, joined(input))),
        );
      }),
    );
  });
});

describe('hkdfSha256', () => {
  it('gives RFC 5869 A.3 (no salt, no info)', () => {
    expect(toHexText(hkdfSha256(new Uint8Array(22).fill(0x0b), new Uint8Array(0), 42))).toBe(
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    );
  });

  it('gives what HKDF over Python gives', () => {
    for (const vector of python.hkdfSha256) {
      expect(toHexText(hkdfSha256(hex(vector.ikm), hex(vector.info), vector.length))).toBe(vector.okm);
    }
  });

  it('agrees with noble', () => {
    fc.assert(
      fc.property(upTo(200), upTo(200), fc.integer({ min: 1, max: 200 }), (ikm, info, length) => {
        expect(toHexText(hkdfSha256(shifted(ikm), shifted(info), length))).toBe(
          toHexText(hkdf(sha256, ikm, undefined, info, length)),
        );
      }),
    );
  });
});

describe('hkdfBlake2b', () => {
  it.each(libchat.kdf_root)("begins with libchat's root step, $domain $root", (vector) => {
    const okm = hkdfBlake2b(hex(vector.root), hex(vector.dh), vector.domain, 96);
    expect(okm).toHaveLength(96);
    expect(toHexText(okm.subarray(0, 64))).toBe(vector.new_root + vector.chain);
    expect(toHexText(hkdfBlake2b(hex(vector.root), hex(vector.dh), vector.domain, 64))).toBe(
      vector.new_root + vector.chain,
    );
  });

  it('gives what HKDF over Python gives', () => {
    for (const vector of python.hkdfBlake2b) {
      expect(toHexText(hkdfBlake2b(hex(vector.salt), hex(vector.ikm), vector.info, vector.length))).toBe(vector.okm);
    }
  });

  it('agrees with noble, and a longer output begins with the shorter', () => {
    fc.assert(
      fc.property(bytes(32), upTo(100), fc.string(), fc.integer({ min: 1, max: 200 }), (salt, ikm, info, length) => {
        const okm = hkdfBlake2b(shifted(salt), shifted(ikm), info, length);
        expect(toHexText(okm)).toBe(toHexText(hkdf(blake2b, ikm, salt, utf8(info), length)));
        expect(toHexText(hkdfBlake2b(salt, ikm, info, length + 50))).toMatch(new RegExp(`^${toHexText(okm)}`));
      }),
    );
  });
});

describe('keyedBlake2b', () => {
  it.each(libchat.kdf_chain)("walks libchat's chain from $chain", ({ chain, steps }) => {
    let key = hex(chain);
    for (const step of steps) {
      expect(toHexText(keyedBlake2b(key, 'mk'))).toBe(step.message_key);
      key = keyedBlake2b(key, 'ck');
      expect(toHexText(key)).toBe(step.next_chain);
    }
    expect(steps.length).toBeGreaterThan(0);
  });

  it.each(libchat.x3dh)("gives libchat's inbox seed $inbox_seed", (vector) => {
    expect(toHexText(keyedBlake2b(hex(vector.shared_secret), 'InboxV1-Seed'))).toBe(vector.inbox_seed);
  });

  it("gives what Python's hashlib gives", () => {
    for (const vector of personal.keyed256) {
      expect(toHexText(keyedBlake2b(shifted(hex(vector.key)), vector.personalization))).toBe(vector.digest);
    }
  });

  it('refuses a personalization of more than 16 bytes', () => {
    expect(() => keyedBlake2b(new Uint8Array(32), 'seventeen letters')).toThrow(RangeError);
  });
});
